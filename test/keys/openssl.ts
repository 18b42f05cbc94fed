import { execFileSync, spawnSync } from 'node:child_process'

/** Why `openssl` cannot be run here, if it cannot. */
export const noOpenssl: string | undefined = spawnSync('openssl', ['version']).error?.message

/** What `openssl` prints; arguments are separated by spaces. */
export const openssl = (args: string, input: string | Uint8Array = ''): string =>
  execFileSync('openssl', args.split(' '), {
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
  })
