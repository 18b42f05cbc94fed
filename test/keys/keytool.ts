import { execFileSync } from 'node:child_process'
import { whyNoKeyTool } from '../support/binaries.ts'

/** Why Java's `keytool` cannot be run here, if it cannot. */
export const noKeytool: string | undefined = whyNoKeyTool('keytool')

/** Runs `keytool`; arguments are separated by spaces. */
export const keytool = (args: string, cwd: string): void => {
  execFileSync('keytool', args.split(' '), { cwd, stdio: 'ignore' })
}
