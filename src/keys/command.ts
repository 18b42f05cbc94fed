import { spawn } from 'node:child_process'
import type { SignerObject } from './private.js'
import type { PublicKeySource } from './public.js'
import { refuseKey } from './source.js'

/** No signature of ours is longer; what is, is something else. */
const maxBytes = 1 << 16

/**
 * Somebody who signs, as a command: it gets the bytes to sign on standard input, and gives the raw signature on standard
 * output. What it says on standard error is shown as it is.
 * @param command for the system's shell
 */
export const commandSigner = (
  command: string,
  publicKey: PublicKeySource,
  option: string,
): SignerObject => ({
  publicKey,
  async sign(bytes) {
    const { signature, ended } = await run(command, bytes)
    if (ended !== undefined) throw refuseKey({ option }, `names a command that ${ended}`)
    return signature
  },
})

function run(
  command: string,
  bytes: Uint8Array,
): Promise<{ signature: Uint8Array; ended: string | undefined }> {
  const child = spawn(command, { shell: true, stdio: ['pipe', 'pipe', 'inherit'] })
  const chunks: Buffer[] = []
  let left = maxBytes
  child.stdout.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) child.kill()
    else chunks.push(chunk)
  })
  // A command that does not read to the end has its reasons, and a status.
  child.stdin.on('error', () => {})
  child.stdin.end(bytes)
  return new Promise((settle, fail) => {
    child.once('error', fail)
    child.once('close', (status, signal) =>
      settle({
        signature: new Uint8Array(Buffer.concat(chunks)),
        ended: left < 0 ? `gave more than ${maxBytes} bytes` : whyEnded(status, signal),
      }),
    )
  })
}

const whyEnded = (status: number | null, signal: string | null): string | undefined =>
  status === 0 ? undefined : `ended with ${signal ?? `status ${status}`}`
