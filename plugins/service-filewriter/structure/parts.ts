// The loaded plugins as the structure check sees them.
import { type Host } from '../../../core/host.js'
import { type Parts } from './structure.js'

export const partsOf = (host: Host): Parts => ({
  writer: (id) => host.part('writer', id),
  converter: (id) => host.part('converter', id),
  ids: (kind) => host.ids(kind)
})
