// `nexstream repair` of a damaged file: it ends, says what it did, and what it leaves is good for a second look.
import { CodedError } from '../../../core/api/plugin.js'
import { repair } from '../../../plugins/service-filewriter/file/repair.js'
import { fileOf, hdf5Samples } from '../hdf5-samples.js'
import { promise, type Target } from '../target.js'

export default {
  maxLength: 16_384,
  // The HDF5 library is loaded anew after each of its errors
  maxBytes: 256 << 20,
  maxSteps: 2_000_000,
  seeds: async () => (await hdf5Samples()).map(({ bytes }) => bytes),
  run: async (input) => {
    const path = fileOf(input)
    const { notes } = await repair(path)
    if (notes.length > 0) return
    const again = await repair(path)
    promise(again.actions.length === 0, `repaired twice: ${again.actions.join(', ')}`)
  },
  allows: (error) => error instanceof CodedError
} satisfies Target
