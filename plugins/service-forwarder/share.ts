// Several daemons with one list: which of them forwards which channel. Each works it out for itself from the members that Kafka tells.
import { type Members } from '../../core/api/plugin.js'
import { type Spec } from './spec.js'

/** Decides about channels by their key. */
export interface Ownership {
  /** This daemon forwards the channel. */
  owns(key: string): boolean
  /** It may go on with the channel if it has it: its own, or one that another takes over just now. */
  keeps(key: string): boolean
  /** The list has changed. */
  update(specs: Iterable<Spec>): void
}

/** For a daemon that is alone. */
export const everything: Ownership = { owns: () => true, keeps: () => true, update: () => undefined }

/** FNV-1a with a final mixing: neighbouring names must not go to the same member. */
export function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Rendezvous hashing: when a member goes, only its channels move; undefined without members. */
export function ownerOf(names: readonly string[], key: string): string | undefined {
  let best: string | undefined
  let most = -1
  for (const name of names) {
    const score = hash(`${name}\0${key}`)
    if (score > most || (score === most && name < best!)) [best, most] = [name, score]
  }
  return best
}

/** Channels that share a named converter must be together: channel key → a name that is the same for all of them. */
export function bundles(specs: Iterable<Spec>): Map<string, string> {
  const parents = new Map<string, string>()
  const root = (key: string): string => {
    let top = key
    while (parents.get(top) !== undefined && parents.get(top) !== top) top = parents.get(top)!
    return top
  }
  for (const { name, channelKey } of specs) {
    if (name === undefined) continue
    const [a, b] = [root(channelKey), root(`converter ${name}`)].toSorted()
    for (const key of [channelKey, `converter ${name}`, a!, b!]) parents.set(key, a!)
  }
  return new Map([...parents.keys()].map((key) => [key, root(key)]))
}

interface Turn {
  readonly names: readonly string[]
  readonly self: string
  /** performance.now() until which what it gave to this daemon is kept. */
  readonly untilMs: number
}

export class Share implements Ownership {
  members: Members | undefined
  #bundles: ReadonlyMap<string, string> = new Map()
  /** Turns before the present one that are not over yet. */
  #before: Turn[] = []
  /** Owners of the present turn: asked for again and again. */
  readonly #owners = new Map<string, string | undefined>()

  constructor(readonly handoverMs: number) {}

  get isLeader(): boolean {
    return this.members?.isLeader === true
  }

  /** Someone came or went. */
  take(members: Members, nowMs = performance.now()): void {
    const { members: present } = this
    this.#before = this.#before.filter(({ untilMs }) => untilMs > nowMs)
    if (present !== undefined)
      this.#before.push({ names: present.names, self: present.self, untilMs: nowMs + this.handoverMs })
    this.members = members
    this.#owners.clear()
  }

  update(specs: Iterable<Spec>): void {
    this.#bundles = bundles(specs)
    this.#owners.clear()
  }

  owns(key: string): boolean {
    if (this.members === undefined) return false
    let owner = this.#owners.get(key)
    if (owner === undefined) {
      owner = ownerOf(this.members.names, this.#bundles.get(key) ?? key)
      this.#owners.set(key, owner)
    }
    return owner === this.members.self
  }

  keeps(key: string, nowMs = performance.now()): boolean {
    if (this.owns(key)) return true
    const bundle = this.#bundles.get(key) ?? key
    return this.#before.some(({ names, self, untilMs }) => untilMs > nowMs && ownerOf(names, bundle) === self)
  }
}
