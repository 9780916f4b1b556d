// The answer to a command that changes the list of streams: what was done with each, what was refused and why.
import { type Finding, type Reply } from '../../core/api/plugin.js'
import { type Failure } from './board.js'
import { finding, type Spec } from './spec.js'

export type StreamOutcome = 'added' | 'changed' | 'unchanged' | 'removed'

/** Most streams and errors listed in one answer; the counts are always whole. */
const LISTED = 1000

export class ListReport {
  readonly errors: Finding[] = []
  refused = 0
  /** Whether the list reached the storage topic; undefined without one. */
  kept: boolean | undefined
  readonly #outcomes = new Map<string, { outcome: StreamOutcome; spec: Spec }>()

  add(outcome: StreamOutcome, spec: Spec): void {
    this.#outcomes.set(spec.id, { outcome, spec })
  }

  /** A stream that looked good could not be opened. */
  refuse(spec: Spec, { code, message }: Failure): void {
    this.#outcomes.delete(spec.id)
    this.refused++
    this.errors.push(finding(code, '/streams', `${spec.channel} as ${spec.schema}: ${message}`))
  }

  /** Something is different now. */
  get changed(): boolean {
    return [...this.#outcomes.values()].some(({ outcome }) => outcome !== 'unchanged')
  }

  summary(): string {
    const counts = { ...this.#counts(), refused: this.refused }
    const parts = Object.entries(counts).filter(([, count]) => count > 0)
    return parts.length === 0 ? 'nothing to do' : parts.map(([what, count]) => `${count} ${what}`).join(', ')
  }

  /** ACK when anything was done or nothing was wrong, with the errors of the rest; else ERR. */
  reply(): Reply {
    const done = this.#outcomes.size > 0 || this.errors.length === 0
    const [first] = this.errors
    const notKept = this.kept === false ? '; the list is not on the storage topic yet' : ''
    const why = first === undefined ? '' : `; ${first.path}: ${first.message}`
    const result = {
      ...this.#counts(),
      refused: this.refused,
      ...(this.kept === undefined ? {} : { kept: this.kept }),
      streams: [...this.#outcomes.values()].slice(0, LISTED).map(({ outcome, spec }) => ({
        channel: spec.channel,
        protocol: spec.protocol,
        schema: spec.schema,
        topic: spec.topic,
        outcome
      }))
    }
    return {
      response: done ? 'ACK' : 'ERR',
      status: done ? 200 : 400,
      message: `${this.summary()}${notKept}${why}`,
      ...(this.errors.length > 0 ? { errors: this.errors.slice(0, LISTED) } : {}),
      result
    }
  }

  #counts(): Record<StreamOutcome, number> {
    const counts = { added: 0, changed: 0, unchanged: 0, removed: 0 }
    for (const { outcome } of this.#outcomes.values()) counts[outcome]++
    return counts
  }
}
