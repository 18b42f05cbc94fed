import { execFileSync } from 'node:child_process'
import { createPublicKey } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { jsonOf, type Run } from '../cli/run.ts'
import { scratchFolder } from '../support/processes.ts'
import { sha256, writeInto } from '../tree/folder.ts'
import { file, newPublisher, textOf, type Publisher } from './signed.ts'

// What attacks on the command line start from.

export const manifest: string = 'signedimp-manifest.txt'

/** The key of the publisher that everybody trusts. */
export const only: string[] = ['--key', 'one.pub']

/** A folder with an app, and who publishes it. */
export interface World {
  cwd: string
  one: Publisher
  two: Publisher
}

/** A folder `dist` with one file, and the keys of two publishers. */
export async function world(): Promise<World> {
  const cwd = scratchFolder()
  writeInto(cwd, 'dist/a.js', 'a')
  const [one, two] = [await newPublisher(), await newPublisher()]
  for (const [name, { privateKey }] of Object.entries({ one, two })) {
    const pem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' })
    writeFileSync(join(cwd, `${name}.pub`), pem)
    writeFileSync(join(cwd, name), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  }
  return { cwd, one, two }
}

/** Makes `app.zip` of the folder. */
export const zip = (cwd: string): Buffer =>
  execFileSync('zip', ['-qr', '../app.zip', '.'], { cwd: join(cwd, 'dist') })

/** How a command with `--json` ended. */
export function outcomeOf(run: Run): string {
  const { error } = jsonOf(run)
  if (error === undefined) return `ok status ${run.status}`
  assert.is.not(run.status, 0)
  return `refused ${error.code ?? error.message}`
}

const directives = (...more: string[]) => ['# signedimp: 1', '# name: shop', ...more]
/** An honest signed text, with more directives. */
export const text = (...more: string[]): string =>
  textOf({ directives: directives(...more), files: [file('a.js', sha256('a'))] })
