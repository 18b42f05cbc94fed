import { ended, enter } from './enter.js'

const isMain = require.main === module

try {
  // By a text that the plugin writes, for Node to read which names an importing module may ask for.
  if (enter(__filename, isMain) !== undefined) module.exports = require(__SIGNEDIMP_MAIN__)
  // A child may be started with the very file that it has loaded first.
  else delete require.cache[__filename]
} catch (error) {
  throw ended(error, isMain)
}
