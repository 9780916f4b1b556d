// What a stop command names: streams by channel and topic patterns, schema and protocol.
import { type StopStreamsCommand } from './commands/stop.js'
import { matches } from './glob.js'
import { type Spec } from './spec.js'

export type Selector = NonNullable<StopStreamsCommand['streams']>[number]

/** Whether a stream fits; what the selector does not name fits always. */
export function selects(selector: Selector, spec: Spec): boolean {
  const { channel, topic, schema, protocol } = selector
  return (
    (channel === undefined || matches(channel, spec.channel)) &&
    (topic === undefined || matches(topic, spec.topic)) &&
    (schema === undefined || schema === spec.schema) &&
    (protocol === undefined || protocol === spec.protocol)
  )
}
