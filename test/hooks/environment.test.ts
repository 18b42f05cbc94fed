import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromEnvironment, type Environment } from '../../src/hooks/environment.ts'
import { scratchFolder } from '../support/processes.ts'
import { signProgram } from '../support/server-program.ts'
import { throwsCode, throwsMistake } from '../support/throws.ts'

// What the environment says, without a program that runs.

const program = await signProgram({ 'main.mjs': '1', 'lib/part.mjs': '1' })
const { folder, keyFile, pem } = program
const entry = join(folder, 'lib/part.mjs')
const SIGNEDIMP_NAME = 'shop'

const mistake = (env: Environment, message: RegExp, from?: string) =>
  throwsMistake(() => fromEnvironment(env, from), message)

test('nothing is said where no key and no configuration is named', () => {
  assert.is(fromEnvironment({}), undefined)
  assert.is(fromEnvironment({ SIGNEDIMP_NAME, SIGNEDIMP_ROOT: folder }), undefined)
})

test('the root is the one that is named, or the nearest with a manifest, through links', () => {
  const linked = join(scratchFolder(), 'current')
  symlinkSync(folder, linked)
  const base = { SIGNEDIMP_KEY: keyFile, SIGNEDIMP_NAME }
  for (const from of [entry, join(linked, 'lib/part.mjs')])
    assert.equal(fromEnvironment(base, from), { keys: [pem], name: 'shop', root: folder })
  const named = fromEnvironment({ ...base, SIGNEDIMP_ROOT: '/elsewhere' }, entry)
  assert.is(named!.root, '/elsewhere')
  mistake(base, /^SIGNEDIMP_ROOT must name the signed folder: there is no .* above the program$/)
  mistake(base, /above \/none\/main.mjs$/, '/none/main.mjs')
})

test('a key is a text, or a file outside of the root', async () => {
  const say = (SIGNEDIMP_KEY: string) =>
    fromEnvironment({ SIGNEDIMP_KEY, SIGNEDIMP_NAME, SIGNEDIMP_ROOT: folder })
  assert.equal(say(pem)!.keys, [pem])
  assert.equal(say(pem.replaceAll('\n', '\\n'))!.keys, [pem])
  assert.equal(say('QUJD')!.keys, ['QUJD'])
  await throwsCode(() => say('none.pub'), 'ERR_SIGNEDIMP_KEY')
  mkdirSync(join(folder, 'own'), { recursive: true })
  writeFileSync(join(folder, 'own/key.pub'), pem)
  await throwsCode(() => say(join(folder, 'own/key.pub')), 'ERR_SIGNEDIMP_KEY')
  const link = join(scratchFolder(), 'link.pub')
  symlinkSync(join(folder, 'own/key.pub'), link)
  await throwsCode(() => say(link), 'ERR_SIGNEDIMP_KEY')
})

test('what contradicts itself, or is not enough, is a mistake', () => {
  mistake({ SIGNEDIMP_KEY: keyFile, SIGNEDIMP_CONFIG: 'a.json' }, /give one of them$/)
  for (const name of [undefined, ''])
    mistake({ SIGNEDIMP_KEY: keyFile, SIGNEDIMP_NAME: name }, /^SIGNEDIMP_NAME must say/, entry)
})

test('paths of a configuration are relative to its own folder', () => {
  const file = join(folder, '..', 'here.json')
  const second = { base: 'second', name: 'cart', keys: ['app.pub'] }
  const said = { keys: ['app.pub'], name: 'shop', root: 'app', roots: [second], allow: ['a.mjs'] }
  writeFileSync(file, JSON.stringify(said))
  const at = (path: string) => join(folder, '..', path)
  assert.equal(fromEnvironment({ SIGNEDIMP_CONFIG: file }), {
    keys: [pem],
    name: 'shop',
    root: folder,
    roots: [{ base: at('second'), name: 'cart', keys: [pem] }],
    allow: [at('a.mjs')],
  })
})

test('a configuration is an object, and lies in none of its roots', async () => {
  const file = join(folder, 'own.json')
  writeFileSync(file, '{"root":".","keys":["QUJD"]}')
  await throwsCode(() => fromEnvironment({ SIGNEDIMP_CONFIG: file }), 'ERR_SIGNEDIMP_KEY')
  const list = join(folder, '..', 'list.json')
  writeFileSync(list, '[]')
  mistake({ SIGNEDIMP_CONFIG: list }, /an object in JSON/)
})

test.run()
