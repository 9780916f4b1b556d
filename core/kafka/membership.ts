// Membership in a group of equals: who is there, told to everyone by Kafka's group coordinator. Work is shared by each for itself.
import { type Cluster } from './cluster.js'
import { type Log } from '../log.js'
import { GroupMember, type GroupProtocol, type Seat } from './group-member.js'
import { type Assignment, type JoinedMember, type OfferedProtocol } from './group-protocol.js'
import { type Members, type Membership, type MembershipOptions } from '../api/kafka.js'

/** What the leader sends to all: member id → name. */
type Roll = readonly (readonly [id: string, name: string])[]

class Equals implements GroupProtocol {
  readonly type = 'nexstream'
  readonly sessionMs: number

  constructor(readonly options: MembershipOptions) {
    this.sessionMs = options.sessionTimeoutMs ?? 10_000
  }

  get group(): string {
    return this.options.group
  }
  get rebalanceMs(): number {
    return this.sessionMs
  }

  offers(): OfferedProtocol[] {
    return [{ name: 'equals-1', metadata: Buffer.from(this.options.name) }]
  }

  assign(_: string, members: readonly JoinedMember[]): Assignment[] {
    const roll: Roll = members.map(({ id, metadata }) => [id, metadata.toString()])
    return roll.map(([id]) => ({ id, assignment: Buffer.from(JSON.stringify(roll)) }))
  }

  seated({ assignment, memberId, isLeader, generation }: Seat): void {
    const members = membersOf(JSON.parse(assignment.toString()) as Roll, memberId)
    this.options.onChange({ ...members, isLeader, generation })
  }

  /** What it does it goes on doing: handing over is the work's own. */
  unseated(): Promise<void> {
    return Promise.resolve()
  }
}

export class GroupMembership implements Membership {
  readonly #member: GroupMember

  constructor(
    cluster: Cluster,
    options: MembershipOptions,
    log: Log,
    readonly onClose: () => void
  ) {
    this.#member = new GroupMember(cluster, new Equals(options), log)
    this.#member.joined.catch((error: unknown) => log('error', `group ${options.group}: ${(error as Error).message}`))
  }

  async close(): Promise<void> {
    await this.#member.close()
    this.onClose()
  }
}

/** Names in order; members of the same name are told apart by their ids. */
function membersOf(roll: Roll, self: string): Pick<Members, 'names' | 'self'> {
  const label = ([id, name]: readonly [string, string]): string =>
    roll.filter(([, other]) => other === name).length > 1 ? `${name} ${id}` : name
  const mine = roll.find(([id]) => id === self)
  return { names: roll.map(label).toSorted(), self: mine === undefined ? '' : label(mine) }
}
