// Membership of the forwarder: joins, tells when channels move, and leaves without a gap.
import { type Members, type Membership, type ServiceContext } from '../../core/api/plugin.js'
import { Share } from './share.js'

export interface ForwarderGroupOptions {
  readonly group: string
  readonly sessionMs: number
  readonly handoverMs: number
}

/** Longest wait at start for Kafka to tell the members. */
const JOIN_MS = 30_000

export class ForwarderGroup {
  readonly share: Share
  #membership: Membership | undefined
  readonly #timers = new Set<NodeJS.Timeout>()
  #joined: (() => void) | undefined
  #leaving = false
  #pulse: NodeJS.Timeout | undefined
  #lastPulseMs = 0
  #doubtUntilMs = 0

  constructor(
    readonly context: ServiceContext,
    readonly options: ForwarderGroupOptions,
    /** Channels are to be opened or closed; `isNewLeader`: this daemon speaks for the group from now on. */
    readonly onChange: (isNewLeader: boolean) => void
  ) {
    this.share = new Share(options.handoverMs)
  }

  /**
   * This process stood still so long that another may have become leader unnoticed (SIGSTOP, a frozen virtual machine); said for
   * one session from then on, after which membership is known again.
   */
  isDoubtful(nowMs = performance.now()): boolean {
    const { sessionMs } = this.options
    if (nowMs - this.#lastPulseMs > 0.8 * sessionMs) this.#doubtUntilMs = nowMs + sessionMs
    this.#lastPulseMs = nowMs
    return nowMs < this.#doubtUntilMs
  }

  /** Joins; resolves when the members are known, or with a warning after 30 s. */
  async join(): Promise<void> {
    const { group, sessionMs } = this.options
    this.#lastPulseMs = performance.now()
    this.#pulse = setInterval(() => this.isDoubtful(), sessionMs / 10)
    const known = new Promise<void>((resolve) => (this.#joined = resolve))
    this.#membership = this.context.kafka.membership({
      group,
      name: this.context.serviceId,
      sessionTimeoutMs: sessionMs,
      onChange: (members) => this.#take(members)
    })
    await Promise.race([known, this.#wait(JOIN_MS)])
    if (this.share.members !== undefined) return
    this.context.log('warn', `group ${group}: not joined yet; nothing is forwarded here until then`)
  }

  /** Leaves; goes on with its channels until the others have taken them. */
  async leave(): Promise<void> {
    this.#leaving = true
    const isAlone = (this.share.members?.names.length ?? 0) < 2
    await this.#membership?.close()
    // Without Kafka nobody hears that it leaves, so nobody takes over
    if (!isAlone && this.context.kafka.connected) await this.#wait(this.options.handoverMs)
    for (const timer of this.#timers) clearTimeout(timer)
    clearInterval(this.#pulse)
  }

  #take(members: Members): void {
    if (this.#leaving) return
    const { names, self, isLeader } = members
    const wasLeader = this.share.isLeader
    this.share.take(members)
    const who = `${names.length} members (${names.join(', ')})`
    const fields = { members: names, self, leader: isLeader }
    this.context.log('info', `group ${this.options.group}: ${who}`, fields)
    this.#joined?.()
    this.onChange(isLeader && !wasLeader)
    // What others have taken over by then is let go
    void this.#wait(this.options.handoverMs + 1).then(() => {
      if (!this.#leaving) this.onChange(false)
    })
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        resolve()
      }, ms)
      this.#timers.add(timer)
    })
  }
}
