// Membership in a group of equals: who is there, told to everyone by Kafka's group coordinator. Work is shared by each for itself.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, type Log, backoffMs, expectOk, isPassing } from './cluster.js'
import { type Connection, parse } from './connection.js'
import { coordinatorOf } from './coordinator.js'
import {
  groupApi,
  heartbeatRequest,
  joinGroupRequest,
  joinGroupResponse,
  leaveGroupRequest,
  statusResponse,
  syncGroupRequest,
  syncGroupResponse
} from './group-protocol.js'
import { type Members, type Membership, type MembershipOptions } from '../api/kafka.js'

const ILLEGAL_GENERATION = 22
const UNKNOWN_MEMBER = 25
const REBALANCING = 27
const LEAVE_PATIENCE_MS = 2000

/** What the leader sends to all: member id → name. */
type Roll = readonly (readonly [id: string, name: string])[]

export class GroupMembership implements Membership {
  readonly #sessionMs: number
  readonly #beatMs: number
  readonly #stop = new AbortController()
  readonly #done: Promise<void>
  #memberId = ''
  #connection: Connection | undefined
  #troubled = false

  constructor(
    readonly cluster: Cluster,
    readonly options: MembershipOptions,
    readonly log: Log,
    readonly onClose: () => void
  ) {
    this.#sessionMs = options.sessionTimeoutMs ?? 10_000
    // Often, because a beat also brings the news that someone came or went.
    this.#beatMs = Math.max(100, Math.floor(this.#sessionMs / 15))
    this.#done = this.#run()
  }

  /** Leaves, so that the others know at once. */
  async close(): Promise<void> {
    this.#stop.abort()
    // A join that waits for others is not waited for: the coordinator finds out by itself then.
    const timer = setTimeout(() => this.#connection?.close(), LEAVE_PATIENCE_MS)
    await this.#done
    clearTimeout(timer)
    this.onClose()
  }

  async #leave(connection: Connection): Promise<void> {
    if (this.#memberId === '') return
    const body = leaveGroupRequest(this.options.group, this.#memberId)
    try {
      expectOk(parse(await connection.request(groupApi.leave, body), statusResponse), 'LeaveGroup')
    } catch (error) {
      const text = `group ${this.options.group}: left without a word (${(error as Error).message})`
      this.log('info', `${text}; the others notice within ${this.#sessionMs} ms`)
    }
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted;) {
      try {
        this.#connection = await this.#connect()
        await this.#belong(this.#connection, () => (failures = 0))
        await this.#leave(this.#connection)
      } catch (error) {
        if (this.#stop.signal.aborted) return
        this.#explain(error as Error)
      } finally {
        this.#connection?.close()
      }
      await this.#pause(backoffMs(failures++))
    }
  }

  /** One line when it goes wrong, one when it is well again. */
  #explain(error: Error): void {
    const { group } = this.options
    if (!isPassing(error)) this.log('error', `group ${group}: ${error.message}`)
    else if (!this.#troubled) this.log('warn', `group ${group}: no contact (${error.message}); work goes on as it was`)
    this.#troubled = true
  }

  async #connect(): Promise<Connection> {
    const { cluster } = this
    // a connection of its own: a join keeps it busy until all members are there
    return cluster.connect(await coordinatorOf(cluster, this.options.group))
  }

  /** Joins and beats until the connection or the coordinator is lost. */
  async #belong(connection: Connection, onJoined: () => void): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const generation = await this.#join(connection)
      if (generation === undefined) continue
      onJoined()
      await this.#beat(connection, generation)
    }
  }

  /** The generation; undefined when it is to be tried again. */
  async #join(connection: Connection): Promise<number | undefined> {
    const { group, name } = this.options
    const body = joinGroupRequest({ group, memberId: this.#memberId, sessionMs: this.#sessionMs, name })
    const patience = this.#sessionMs * 2 + this.cluster.settings.requestTimeoutMs
    const joined = parse(await connection.request(groupApi.join, body, patience), joinGroupResponse)
    if (this.#isAgain(joined.error, 'JoinGroup')) return undefined
    this.#memberId = joined.memberId
    const isLeader = joined.leader === joined.memberId
    const roll: Roll = joined.members.map(({ id, metadata }) => [id, metadata.toString()])
    const assignments = roll.map(([id]) => ({ id, assignment: Buffer.from(JSON.stringify(roll)) }))
    const sync = syncGroupRequest({ group, generation: joined.generation, memberId: joined.memberId, assignments })
    const synced = parse(await connection.request(groupApi.sync, sync, patience), syncGroupResponse)
    if (this.#isAgain(synced.error, 'SyncGroup')) return undefined
    const members = membersOf(JSON.parse(synced.assignment.toString()) as Roll, joined.memberId)
    if (this.#troubled) this.log('info', `group ${group}: in contact again`)
    this.#troubled = false
    if (!this.#stop.signal.aborted) this.options.onChange({ ...members, isLeader, generation: joined.generation })
    return joined.generation
  }

  async #beat(connection: Connection, generation: number): Promise<void> {
    const body = heartbeatRequest(this.options.group, generation, this.#memberId)
    for (;;) {
      await this.#pause(this.#beatMs)
      if (this.#stop.signal.aborted) return
      const error = parse(await connection.request(groupApi.heartbeat, body), statusResponse)
      if (this.#isAgain(error, 'Heartbeat')) return
    }
  }

  /** Whether the answer asks for a new join; throws for other errors. */
  #isAgain(error: number, what: string): boolean {
    if (error === UNKNOWN_MEMBER) this.#memberId = ''
    if (error === UNKNOWN_MEMBER || error === ILLEGAL_GENERATION || error === REBALANCING) return true
    expectOk(error, `${what} of group ${this.options.group}`)
    return false
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }
}

/** Names in order; members of the same name are told apart by their ids. */
function membersOf(roll: Roll, self: string): Pick<Members, 'names' | 'self'> {
  const label = ([id, name]: readonly [string, string]): string =>
    roll.filter(([, other]) => other === name).length > 1 ? `${name} ${id}` : name
  const mine = roll.find(([id]) => id === self)
  return { names: roll.map(label).toSorted(), self: mine === undefined ? '' : label(mine) }
}
