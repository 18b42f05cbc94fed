import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { whyNoKeyTool } from '../support/binaries.ts'

/** Where distributions put the module of SoftHSM 2. */
const module = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
].find((path) => existsSync(path))

/** Why no token can be made here, if so. */
export const noToken: string | undefined =
  whyNoKeyTool('softhsm2-util') ??
  whyNoKeyTool('pkcs11-tool') ??
  (module ? undefined : 'not installed: the module of SoftHSM 2')

/** A token in software. */
export interface SoftToken {
  module: string
  token: string
  pin: string
  /** What its module reads. */
  env: { SOFTHSM2_CONF: string }
}

/** Makes a token with keys: `rsa`, `ec`, `ed`, and two that are both called `twin`. */
export function makeToken(folder: string): SoftToken {
  const [tokens, SOFTHSM2_CONF] = [join(folder, 'tokens'), join(folder, 'softhsm2.conf')]
  mkdirSync(tokens)
  writeFileSync(
    SOFTHSM2_CONF,
    `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  )
  const made = { module: module!, token: 'release keys', pin: '56789', env: { SOFTHSM2_CONF } }
  const run = (program: string, args: string[]) =>
    execFileSync(program, args, { env: { ...process.env, ...made.env }, stdio: 'ignore' })
  const init = ['--init-token', '--free', '--label', made.token, '--so-pin', '1234']
  run('softhsm2-util', [...init, '--pin', made.pin])
  const login = ['--module', made.module, '--login', '--pin', made.pin]
  for (const [id, label, type] of [
    ['0a01', 'rsa', 'rsa:2048'],
    ['0a02', 'ec', 'EC:prime256v1'],
    ['0a03', 'ed', 'EC:edwards25519'],
    ['0a04', 'twin', 'EC:prime256v1'],
    ['0a05', 'twin', 'EC:prime256v1'],
  ] as const)
    run('pkcs11-tool', [
      ...login,
      '--token-label',
      made.token,
      '--keypairgen',
      '--key-type',
      type,
      '--id',
      id,
      '--label',
      label,
    ])
  return made
}
