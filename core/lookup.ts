// The loaded parts as plugins may look them up.
import { check } from './check.js'
import { type PartLookup } from './api/plugin.js'
import { type Host } from './host.js'

export const lookupOf = (host: Host): PartLookup => ({
  source: (id) => host.part('source', id),
  converter: (id) => host.part('converter', id),
  writer: (id) => host.part('writer', id),
  ids: (kind) => host.ids(kind),
  check: (schema, value, path) => check(schema, value, path)
})
