// One member of a group as Kafka's coordinator sees it: joins, says that it lives, joins again when others come or go, leaves.
// What the members share out, and how, is the protocol's.
import { setTimeout as sleep } from 'node:timers/promises'
import { CodedError } from '../api/errors.js'
import { GROUP_REBALANCING, ILLEGAL_GENERATION, MEMBER_ID_REQUIRED, UNKNOWN_MEMBER } from './broker-errors.js'
import { type Cluster, backoffMs, expectOk, isPassing, pause } from './cluster.js'
import { type Log } from '../log.js'
import { type Connection, ConnectionLost, parse } from './connection.js'
import { coordinatorOf } from './coordinator.js'
import {
  type Assignment,
  type Committer,
  type JoinedMember,
  type OfferedProtocol,
  groupApi,
  heartbeatRequest,
  joinGroupRequest,
  joinGroupResponse,
  leaveGroupRequest,
  statusResponse,
  syncGroupRequest,
  syncGroupResponse
} from './group-protocol.js'

const LEAVE_PATIENCE_MS = 2000

/** What a member holds until others come or go. */
export interface Seat extends Committer {
  readonly isLeader: boolean
  readonly assignment: Buffer
}

export interface GroupProtocol {
  readonly group: string
  /** Kafka refuses members of another type. */
  readonly type: string
  /** A member that is silent for so long is taken to be dead. */
  readonly sessionMs: number
  /** For so long the others wait for this member to join again. */
  readonly rebalanceMs: number
  /** Asked before each join. */
  offers(): Promise<readonly OfferedProtocol[]> | readonly OfferedProtocol[]
  /** Asked of the leader. */
  assign(protocol: string, members: readonly JoinedMember[]): Promise<readonly Assignment[]> | readonly Assignment[]
  /** Everyone has been told what is whose. Throws when the assignment cannot be read. */
  seated(seat: Seat): void
  /** Others come or go: resolves when what this member holds may be given away; it lives on until then. */
  unseated(): Promise<void>
}

export class GroupMember {
  readonly #stop = new AbortController()
  readonly #beatMs: number
  readonly #done: Promise<void>
  /** Resolves at the first seat, or at the end; rejects, and this member is over, when the first join is refused for good. */
  readonly joined: Promise<void>
  #first!: { resolve(): void; reject(error: Error): void }
  #memberId = ''
  #everSeated = false
  #seat: Seat | undefined
  #again = false
  #connection: Connection | undefined
  /** The broker waits for others: this connection may be silent for long. */
  #waiting = false
  #troubled = false
  #wake: () => void = () => undefined

  constructor(
    readonly cluster: Cluster,
    readonly protocol: GroupProtocol,
    readonly log: Log
  ) {
    // Often, because a beat also brings the news that someone came or went.
    this.#beatMs = Math.max(100, Math.floor(protocol.sessionMs / 15))
    this.joined = new Promise((resolve, reject) => (this.#first = { resolve, reject }))
    this.joined.catch(() => undefined) // Not everyone asks
    this.#done = this.#run()
  }

  /** Something changed that the leader must know. */
  rejoin(): void {
    this.#again = true
    this.#wake()
  }

  /** Leaves, so that the others know at once; also while it joins. Never rejects. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#wake()
    if (this.#waiting) this.#connection?.close()
    const timer = setTimeout(() => this.#connection?.close(), LEAVE_PATIENCE_MS)
    await this.#done
    clearTimeout(timer)
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#stop
    for (let failures = 0; !signal.aborted;) {
      try {
        if (this.#connection?.open !== true) this.#connection = await this.#connect()
        if (this.#seat === undefined) await this.#join(this.#connection)
        else await this.#beat(this.#connection, this.#seat)
        failures = 0
      } catch (error) {
        this.#connection?.close()
        if (signal.aborted) break
        if (this.#refused(error as Error)) break
        await pause(backoffMs(failures++), signal)
      }
    }
    await this.#leave()
    this.#connection?.close()
    this.#first.resolve()
  }

  /** One line when it goes wrong, one when it is well again; true when it never will be. */
  #refused(error: Error): boolean {
    const { group } = this.protocol
    const final = !isPassing(error)
    if (final && !this.#everSeated) {
      const text = `group ${group}: ${error.message}`
      this.#first.reject(error instanceof CodedError ? error : new CodedError('CONFIG_INVALID', text, { cause: error }))
      return true
    }
    if (!this.#troubled)
      this.log(
        final ? 'error' : 'warn',
        final
          ? `group ${group}: ${error.message}; trying again`
          : `group ${group}: no contact (${error.message}); work goes on as it was`
      )
    this.#troubled = true
    return false
  }

  async #connect(): Promise<Connection> {
    const { cluster } = this
    // A connection of its own: a join keeps it busy until all members are there
    const connection = await cluster.connect(await coordinatorOf(cluster, this.protocol.group))
    if (!this.#stop.signal.aborted) return connection
    connection.close()
    throw new ConnectionLost('left')
  }

  async #leave(): Promise<void> {
    const { protocol, cluster } = this
    if (this.#memberId === '') return
    const body = leaveGroupRequest(protocol.group, this.#memberId)
    const patience = new AbortController()
    const late = sleep(LEAVE_PATIENCE_MS, undefined, { signal: patience.signal }).then(() => {
      throw new ConnectionLost('no answer')
    })
    late.catch(() => undefined)
    const told = async (): Promise<void> => {
      // Not on our connection: there the broker may still be at the join
      const coordinator = await coordinatorOf(cluster, protocol.group)
      const error = await cluster.ask(coordinator, groupApi.leave, body, statusResponse)
      if (error !== UNKNOWN_MEMBER) expectOk(error, 'LeaveGroup')
    }
    try {
      await Promise.race([told(), late])
    } catch (error) {
      const text = `group ${protocol.group}: left without a word (${(error as Error).message})`
      this.log('info', `${text}; the others notice within ${protocol.sessionMs} ms`)
    } finally {
      patience.abort()
    }
  }

  /** Takes a seat, if the others let it. */
  async #join(connection: Connection): Promise<void> {
    const { protocol } = this
    const { group, type, sessionMs, rebalanceMs } = protocol
    this.#again = false
    const protocols = await protocol.offers()
    if (this.#stop.signal.aborted) return
    const patience = rebalanceMs * 2 + this.cluster.settings.requestTimeoutMs
    const waiting = async <T>(step: () => Promise<T>): Promise<T> => {
      // One who has no id yet is answered at once, and has one to take back then
      this.#waiting = this.#memberId !== ''
      const tell = (): void => this.log('warn', `group ${group}: waits for the other members to join again`)
      const timer = setTimeout(tell, Math.max(10_000, sessionMs * 2))
      try {
        return await step()
      } finally {
        clearTimeout(timer)
        this.#waiting = false
      }
    }
    const request = joinGroupRequest({ group, memberId: this.#memberId, sessionMs, rebalanceMs, type, protocols })
    const joined = await waiting(async () => parse(await connection.request(groupApi.join, request, patience), joinGroupResponse)) // prettier-ignore
    if (joined.error === MEMBER_ID_REQUIRED) this.#memberId = joined.memberId
    if (this.#isAgain(joined.error, 'joining')) return
    const { memberId, generation, leader, members } = joined
    this.#memberId = memberId
    const isLeader = leader === memberId
    const assignments = isLeader ? await protocol.assign(joined.protocol, members) : []
    if (this.#stop.signal.aborted) return
    const sync = syncGroupRequest({ group, generation, memberId, assignments })
    const synced = await waiting(async () => parse(await connection.request(groupApi.sync, sync, patience), syncGroupResponse)) // prettier-ignore
    if (this.#isAgain(synced.error, 'joining')) return
    this.#well()
    if (this.#stop.signal.aborted) return
    const seat = { generation, memberId, isLeader, assignment: synced.assignment }
    protocol.seated(seat)
    this.#seat = seat
    this.#everSeated = true
    this.#first.resolve()
  }

  #well(): void {
    if (this.#troubled) this.log('info', `group ${this.protocol.group}: in contact again`)
    this.#troubled = false
  }

  /** Lives on its seat until that is to be given up, or the connection breaks, which does not cost the seat. */
  async #beat(connection: Connection, { generation, memberId }: Seat): Promise<void> {
    const { group } = this.protocol
    const body = heartbeatRequest(group, generation, memberId)
    let unseated: Promise<void> | undefined
    let free = false
    for (;;) {
      if (this.#again) unseated ??= this.#unseat(() => (free = true))
      if (!free && !this.#stop.signal.aborted) await this.#pause(this.#beatMs)
      if (this.#stop.signal.aborted) return
      if (free) return void (this.#seat = undefined)
      const error = parse(await connection.request(groupApi.heartbeat, body), statusResponse)
      if (error === GROUP_REBALANCING) this.#again = true
      else if (this.#isAgain(error, 'Heartbeat')) {
        // The others go on without us: nothing is left to be given away
        if (!this.#again) this.log('warn', `group ${group}: was taken for dead; joins again`)
        void this.#unseat(() => undefined)
        return void (this.#seat = undefined)
      } else this.#well()
    }
  }

  async #unseat(then: () => void): Promise<void> {
    await this.protocol.unseated()
    then()
    this.#wake()
  }

  /** Whether the answer asks for a new join; throws for other errors. */
  #isAgain(error: number, what: string): boolean {
    if (error === UNKNOWN_MEMBER) this.#memberId = ''
    if ([UNKNOWN_MEMBER, ILLEGAL_GENERATION, GROUP_REBALANCING, MEMBER_ID_REQUIRED].includes(error)) return true
    expectOk(error, `${what} group ${this.protocol.group}`, null, `READ on group ${this.protocol.group}`)
    return false
  }

  /** Ends early by `#wake`. */
  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
