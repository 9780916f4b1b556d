// The loaded parts as plugins may look them up: their `open` gives what it must or throws a CodedError that names plugin and part.
import { type OpenedByService, type PartLookup } from './api/plugin.js'
import { check } from './check.js'
import { type Caught } from './faults.js'
import { forms, guardedSubscription, opened, type GuardedPart } from './guards.js'
import { type Host } from './host.js'

type Opened = 'source' | 'converter' | 'writer' | 'readout'

/** @param caught - hears of the faults of the parts */
export function lookupOf(host: Host, caught: Caught = () => undefined): PartLookup {
  const known = new Map<OpenedByService, OpenedByService>()
  /** The part with another `open`, the same object each time. */
  const guarded = (kind: Opened, id: string): OpenedByService | undefined => {
    const part = host.part(kind, id)
    if (part === undefined) return undefined
    const before = known.get(part)
    if (before !== undefined) return before
    const place = { plugin: host.owner(kind, id) ?? '', part: `${kind} ${id}`, caught }
    const made = Object.create(part, { open: { value: guardedOpen(kind, part, place) } }) as OpenedByService
    known.set(part, made)
    return made
  }
  return {
    source: (id) => guarded('source', id),
    converter: (id) => guarded('converter', id),
    writer: (id) => guarded('writer', id),
    readout: (id) => guarded('readout', id),
    ids: (kind) => host.ids(kind),
    check: (schema, value, path) => check(schema, value, path)
  }
}

function guardedOpen(kind: Opened, part: OpenedByService, place: GuardedPart): OpenedByService['open'] {
  if (kind !== 'source') return (...args) => opened(place, forms.object, () => part.open(...args))
  return (...args) =>
    guardedSubscription(
      opened(place, forms.subscription, () => part.open(...args)),
      place
    )
}
