// What is said to the forwarder, in the dialect it understands.
import { writeStreamChange } from '../../schemas/stream-changes.js'

export type CommandEncoding = 'json' | 'fc00' | 'rf5k'
export interface BlockStream {
  readonly channel: string
  readonly schema: string
  readonly topic: string
}

export type Change = 'add' | 'remove' | 'replace'

/** rf5k knows no replace. */
const kinds = { add: 'ADD', remove: 'REMOVE', replace: 'REPLACE' } as const

/** One command that adds or removes streams over Channel Access, or gives the whole list. */
export function encodeChange(dialect: CommandEncoding, change: Change, streams: readonly BlockStream[]): Uint8Array {
  if (dialect === 'json') return Buffer.from(JSON.stringify(jsonChange(change, streams)))
  const rows = streams.map((stream) => ({ ...stream, protocol: 'ca' }))
  return writeStreamChange(dialect, kinds[change], rows)
}

function jsonChange(change: Change, streams: readonly BlockStream[]): object {
  const service = 'forwarder'
  if (change === 'remove') return { cmd: 'stop', service, streams }
  const full = streams.map(({ channel, schema, topic }) => ({ channel, protocol: 'ca', converter: schema, topic }))
  return { cmd: change === 'replace' ? 'config' : 'start', service, streams: full }
}
