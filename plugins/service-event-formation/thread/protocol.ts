// What the main thread and the thread of a detector say to each other.
import { type LogLevel } from '../../../core/api/plugin.js'
import { type DetectorFiles } from '../form/formation.js'
import { type DetectorOptions } from '../options.js'
import { type ReceivedBy } from './receiver.js'

export interface DetectorSpec {
  readonly name: string
  readonly options: DetectorOptions
  readonly files: DetectorFiles
}

/** Losses of every kind, since the start; events and packets that are in none of the messages. */
export type Losses = {
  /** Packets that the kernel had no room for. */
  readonly kernel: number
  /** Packets that the ring behind the socket had no room for. */
  readonly queue: number
  /** Packets that the order of those that came says are missing; those lost in the kernel and in the ring are among them. */
  readonly missing: number
  /** Events for which `send_buffer_bytes` had no room. */
  readonly buffer: number
  /** Events that Kafka did not take. */
  readonly kafka: number
  /** Raw copies that had no room or that Kafka did not take. */
  readonly raw: number
  /** Packets that the family threw at. */
  readonly faults: number
}

export interface DetectorProgress {
  readonly packets: number
  readonly bytes: number
  /** In messages, on their way to Kafka or there; buffer and Kafka losses are among them. */
  readonly events: number
  readonly messages: number
  /** Acknowledged by Kafka. */
  readonly deliveredEvents: number
  readonly deliveredMessages: number
  /** Events before their pulse, and packets behind later ones. */
  readonly late: number
  readonly losses: Losses
  /** By the names of the field's program, in the order in which they were asked for. */
  readonly counters: Readonly<Record<string, number>>
  /** Null until it is received. */
  readonly receivedBy: ReceivedBy | null
  /** What the kernel gave for packets that wait, bytes. */
  readonly receiveBufferBytes: number
  readonly sendBufferedBytes: number
  /** What its thread has waited, µs. */
  readonly idleUs: number
}

export const noProgress: DetectorProgress = {
  packets: 0,
  bytes: 0,
  events: 0,
  messages: 0,
  deliveredEvents: 0,
  deliveredMessages: 0,
  late: 0,
  losses: { kernel: 0, queue: 0, missing: 0, buffer: 0, kafka: 0, raw: 0, faults: 0 },
  counters: {},
  receivedBy: null,
  receiveBufferBytes: 0,
  sendBufferedBytes: 0,
  idleUs: 0
}

export type ToDetector =
  | { readonly type: 'start'; readonly spec: DetectorSpec }
  | { readonly type: 'configure'; readonly rawOnly?: boolean; readonly files?: DetectorFiles }
  | { readonly type: 'end' }

export type FromDetector =
  | { readonly type: 'ready' }
  /** Instead of `ready`, or of `configured`. */
  | { readonly type: 'refused'; readonly code: string; readonly message: string; readonly path?: string }
  | { readonly type: 'configured' }
  | { readonly type: 'progress'; readonly progress: DetectorProgress }
  | { readonly type: 'fault'; readonly message: string }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string }
  | { readonly type: 'done'; readonly progress: DetectorProgress; readonly error: string | null }
