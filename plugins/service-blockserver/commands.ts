// What is said to the forwarder, in the dialect it understands.
import { encodeMessage } from '../../schemas/index.js'

export type Dialect = 'json' | 'fc00' | 'rf5k'
export interface BlockStream {
  readonly channel: string
  readonly schema: string
  readonly topic: string
}

export type Change = 'add' | 'remove' | 'replace'

/** Numbers in fc00; rf5k knows no replace. */
const wireChange = { add: 0, remove: 1, replace: 3 } as const
/** Channel Access in fc00 and rf5k. */
const ca = 1

/** One command that adds or removes streams over Channel Access, or gives the whole list. */
export function encodeChange(dialect: Dialect, change: Change, streams: readonly BlockStream[]): Buffer {
  if (dialect === 'json') return Buffer.from(JSON.stringify(jsonChange(change, streams)))
  const fields = streams.map(({ channel, schema, topic }) => ({
    ...{ channel, schema, topic, protocol: ca },
    ...(dialect === 'fc00' ? { periodic: 0 } : {})
  }))
  return encodeMessage(dialect, { config_change: wireChange[change], streams: fields })
}

function jsonChange(change: Change, streams: readonly BlockStream[]): object {
  const service = 'forwarder'
  if (change === 'remove') return { cmd: 'stop', service, streams }
  const full = streams.map(({ channel, schema, topic }) => ({ channel, protocol: 'ca', converter: schema, topic }))
  return { cmd: change === 'replace' ? 'config' : 'start', service, streams: full }
}
