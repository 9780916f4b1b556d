// Where the package lies: schemas, commands and built-in plugins are found from here, compiled code in dist/.
import { join } from 'node:path'
import { packageRoot } from './api/version.js'

export { packageRoot, version } from './api/version.js'
/** Folder of the compiled code. */
export const codeRoot = join(packageRoot, 'dist')
