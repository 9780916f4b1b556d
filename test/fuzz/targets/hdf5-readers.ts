// What looks into files of others: `nexstream show`, its tree, and a template of an instrument.
import { CodedError } from '../../../core/api/plugin.js'
import { summarise } from '../../../plugins/service-filewriter/file/summary.js'
import { treeOf } from '../../../plugins/service-filewriter/file/tree.js'
import { readTemplate } from '../../../plugins/service-filewriter/structure/template.js'
import { fileOf, hdf5Input } from '../hdf5-samples.js'
import { type Target } from '../target.js'

export default {
  ...hdf5Input,
  run: async (input) => {
    const path = fileOf(input)
    for (const read of [summarise, treeOf, readTemplate])
      try {
        await read(path)
      } catch (error) {
        if (!(error instanceof CodedError)) throw error
      }
  },
  allows: () => false
} satisfies Target
