import { setTimeout as sleep } from 'node:timers/promises'
import { loadSigner } from '../../src/keys/private.ts'
import { signDirectory } from '../../src/tree/sign.ts'

// Signs a folder again and again, each time as another build, until it is killed: node sign-forever.ts <folder> <key> <build>
const [dir, key, first] = process.argv.slice(2) as [string, string, string]
const signer = await loadSigner(key)
for (let build = Number(first); ; build++) {
  await signDirectory(dir, signer, { name: 'shop', build })
  if (build === Number(first)) console.log('signed once')
  await sleep(0)
}
