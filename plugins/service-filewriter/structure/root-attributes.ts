// Attributes of the file's root, as NeXus and the readers of the field expect them.
import { basename } from 'node:path'
import { version } from '../../../core/api/plugin.js'
import { type Attributes } from '../writer-part.js'

/** The start command by its place in Kafka, in files of pools with a journal: whoever runs the job again knows its file by it. */
export const startAttribute = 'nexstream_start'

export const rootAttributes = (file: string, start?: string): Attributes => ({
  NX_class: 'NXroot',
  file_name: basename(file),
  file_time: new Date().toISOString(),
  creator: `nexstream ${version}`,
  // The library inside the pinned h5wasm
  HDF5_Version: '2.0.0',
  ...(start !== undefined && { [startAttribute]: start })
})
