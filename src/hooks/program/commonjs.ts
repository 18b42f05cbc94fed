import { ended, enter } from './enter.js'

try {
  enter(__filename)
  // By a text that the plugin writes, for Node to read which names an importing module may ask for.
  module.exports = require(__SIGNEDIMP_MAIN__)
} catch (error) {
  throw ended(error, require.main === module)
}
