// Writers opened on paper, once for each module and config: a thousand logs of one kind make the same names.
import { type Context } from '../../../core/api/plugin.js'
import { type WriterPart } from '../writer-part.js'
import { PaperGroup } from './paper.js'
import { type PlanGroup, type StructurePlan } from './plan.js'

/** Names that a module makes in its group. */
export interface Draft {
  readonly made: ReadonlySet<string>
  /** At the end. */
  readonly late: readonly string[]
}

const drafts = new WeakMap<StructurePlan, Map<WriterPart, Map<string, Draft>>>()

const paperContext: Context = {
  jobId: '',
  signal: new AbortController().signal,
  log: () => undefined,
  count: () => undefined
}

/** Throws what `open` throws; HDF5_EXISTS where the group has one of the names. */
export function draftOf(
  part: WriterPart,
  config: Readonly<Record<string, unknown>>,
  group: PlanGroup,
  plan: StructurePlan
): Draft {
  const kept = draftsOf(part, plan)
  const key = keyOf(config)
  const paper = new PaperGroup(group)
  const known = key === undefined ? undefined : kept.get(key)
  if (known !== undefined && !paper.hasAny(known.made)) return known
  part.open(paper, config, paperContext)
  const draft = { made: paper.made, late: part.madeAtClose?.(config) ?? [] }
  if (key !== undefined && !paper.asked) kept.set(key, draft)
  return draft
}

function draftsOf(part: WriterPart, plan: StructurePlan): Map<string, Draft> {
  const ofPlan = drafts.get(plan) ?? new Map<WriterPart, Map<string, Draft>>()
  drafts.set(plan, ofPlan)
  const ofPart = ofPlan.get(part) ?? new Map<string, Draft>()
  ofPlan.set(part, ofPart)
  return ofPart
}

/** undefined for a config that is rarely met twice, or that JSON does not tell from another. */
function keyOf(config: Readonly<Record<string, unknown>>): string | undefined {
  const simple = (value: unknown): boolean =>
    typeof value === 'string' || typeof value === 'boolean' || (Number.isFinite(value) && !Object.is(value, -0))
  return Object.values(config).every(simple) ? JSON.stringify(config) : undefined
}
