// Looks up what a structure may name.
import { type PartLookup } from '../../../core/api/plugin.js'

export type Parts = Pick<PartLookup, 'writer' | 'converter' | 'ids' | 'check'>
