import { emitOutput } from './dist/index.js'
