import type { HashType } from '../crypto/algorithms.js'
import { comparePaths } from '../manifest/path.js'
import type { VerifiedRelease } from './read.js'

/** The hash by which verifiers of statements, such as cosign, find a file; whatever the manifest has, it is there. */
export const subjectHash: HashType = 'sha256'

/** What kind of predicate it is: a URI that nobody else uses, with the version of {@link Predicate}. */
export const predicateType = 'https://www.npmjs.com/package/signedimp#release-v0.1'

/** What a statement says of a release, beside its files. */
export interface Predicate {
  name: string
  build?: number
  expires?: string
  manifest: {
    /** File name in the release. */
    name: string
    /** The hash type of what it lists. */
    hash: HashType
    /** Of what the signatures cover: the bytes behind the first blank line. */
    signedText: { sha256: string }
  }
  /** Fingerprints of the keys whose signatures of the manifest were verified. */
  signers: string[]
}

/** A Statement of in-toto, version 1 (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md). */
export interface Statement {
  _type: 'https://in-toto.io/Statement/v1'
  subject: { name: string; digest: Partial<Record<HashType, string>> }[]
  predicateType: typeof predicateType
  predicate: Predicate
}

/** States what a verified release consists of. Nobody has signed the statement. */
export function toStatement({
  manifestName,
  main,
  signedText,
  signers,
  hashes,
}: VerifiedRelease): Statement {
  const { name, build, expires, hash } = main
  const types = [...new Set([subjectHash, hash])]
  const paths = [...hashes.get(hash)!.keys()].sort(comparePaths)
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: paths.map((path) => ({
      name: path,
      digest: Object.fromEntries(types.map((type) => [type, hashes.get(type)!.get(path)!])),
    })),
    predicateType,
    predicate: {
      name,
      ...(build !== undefined && { build }),
      ...(expires !== undefined && { expires }),
      manifest: { name: manifestName, hash, signedText: { sha256: signedText } },
      signers,
    },
  }
}
