// Attributes of the file's root, as NeXus and the readers of the field expect them.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { type Attributes } from '../plugin.js'
import { codeRoot } from '../root.js'

let version: string | undefined

function ownVersion(): string {
  version ??= (JSON.parse(readFileSync(packageFile(), 'utf8')) as { version: string }).version
  return version
}

// compiled code lies in dist/, the manifest beside it
const packageFile = (): string => `${codeRoot}/../package.json`

export const rootAttributes = (file: string): Attributes => ({
  NX_class: 'NXroot',
  file_name: basename(file),
  file_time: new Date().toISOString(),
  creator: `nexstream ${ownVersion()}`,
  // h5wasm is built on it
  HDF5_Version: '2.0.0'
})
