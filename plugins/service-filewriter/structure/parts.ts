// Looks up what a structure may name.
import { type PartLookup } from '../../../core/api/plugin.js'
import { type WriterPart } from '../writer-part.js'

export type WriterParts = Pick<PartLookup, 'writer' | 'converter' | 'ids' | 'check'>

/** The writer of this module name. */
export const writerOf = (parts: WriterParts, module: string): WriterPart | undefined =>
  parts.writer(module) as WriterPart | undefined
