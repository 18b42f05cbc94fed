import '../../src/emit/emit.ts'
import '../../src/manifest/verify.ts'
import '../../src/plugin/rollup.ts'
import '../../src/tree/verify.ts'
