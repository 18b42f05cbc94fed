import { SignedImpError, type SignedImpCode } from '../errors.js'

type Short<Code> = Code extends `ERR_SIGNEDIMP_${infer Name}` ? Name : never

/** A refusal by its code without `ERR_SIGNEDIMP_`: what pages carry is short. */
export const refusal = (code: Short<SignedImpCode>, reason: string, path?: string) =>
  new SignedImpError(`ERR_SIGNEDIMP_${code}`, reason, { path })
