// `nexstream repair` of a damaged file: it ends, says what it did, and what it leaves is good for a second look.
import { CodedError } from '../../../core/api/plugin.js'
import { repair } from '../../../plugins/service-filewriter/file/repair.js'
import { fileOf, hdf5Input } from '../hdf5-samples.js'
import { promise, type Target } from '../target.js'

export default {
  ...hdf5Input,
  run: async (input) => {
    const path = fileOf(input)
    const { notes } = await repair(path)
    if (notes.length > 0) return
    const again = await repair(path)
    promise(again.actions.length === 0, `repaired twice: ${again.actions.join(', ')}`)
  },
  allows: (error) => error instanceof CodedError
} satisfies Target
