// The loaded parts as plugins may look them up: their `open` gives what it must or throws a CodedError that names plugin and part.
import { type ConverterPart, type PartLookup, type SourcePart, type OpenedByService } from './api/plugin.js'
import { check } from './check.js'
import { type Caught } from './faults.js'
import { forms, guardedSubscription, opened, type GuardedPart } from './guards.js'
import { type Host, type Parts } from './host.js'

/** @param caught - hears of the faults of the parts */
export function lookupOf(host: Host, caught: Caught = () => undefined): PartLookup {
  const known = new Map<object, object>()
  /** The part with another `open`, the same object each time. */
  const guarded = <K extends keyof Guards>(kind: K, id: string): Parts[K] | undefined => {
    const part = host.part(kind, id)
    if (part === undefined) return undefined
    const before = known.get(part) as Parts[K] | undefined
    if (before !== undefined) return before
    const place = { plugin: host.owner(kind, id) ?? '', part: `${kind} ${id}`, caught }
    const made = Object.create(part, { open: { value: guards[kind](part, place) } }) as Parts[K]
    known.set(part, made)
    return made
  }
  return {
    source: (id) => guarded('source', id),
    converter: (id) => guarded('converter', id),
    writer: (id) => guarded('writer', id),
    ids: (kind) => host.ids(kind),
    check: (schema, value, path) => check(schema, value, path)
  }
}

type Guards = Pick<Parts, 'source' | 'converter' | 'writer'>

const guards: { readonly [K in keyof Guards]: (part: Parts[K], place: GuardedPart) => Parts[K]['open'] } = {
  source:
    (part, place): SourcePart['open'] =>
    (config, context, emit) =>
      guardedSubscription(
        opened(place, forms.subscription, () => part.open(config, context, emit)),
        place
      ),
  converter:
    (part, place): ConverterPart['open'] =>
    (config, context) =>
      opened(place, forms.object, () => part.open(config, context)) as ReturnType<ConverterPart['open']>,
  writer:
    (part, place): OpenedByService['open'] =>
    (target, config, context) =>
      opened(place, forms.object, () => part.open(target, config, context))
}
