// Sends what was formed to Kafka: bounded, each loss counted with its events.
import { type Producer } from '../../../core/api/plugin.js'
import { NamedCounters } from '../form/counters.js'
import { type FormedMessage } from '../form/message.js'
import { type Counter, countersOf } from '../readout-kit.js'
import { type DetectorOptions } from '../options.js'

const names = ['produce_calls', 'produce_errors', 'produce_bytes_ok', 'produce_bytes_error', 'msg.delivery_success', 'error.msg_delivery'] as const // prettier-ignore
type Counts = Readonly<Record<(typeof names)[number], Counter>>

export class FormedOutlet {
  events = 0
  messages = 0
  deliveredEvents = 0
  deliveredMessages = 0
  /** Events in messages that had no room, and that Kafka did not take; a message without events counts as one: no loss goes unseen. */
  lostInBuffer = 0
  lostInKafka = 0
  /** Raw copies of which either is true. */
  lostRaw = 0
  lastError: Error | undefined
  /** By the names of the field's program, which has a producer for events and one for raw copies. */
  readonly counters = new NamedCounters()
  readonly #counts: Readonly<Record<FormedMessage['kind'], Counts>>

  constructor(
    readonly producer: Producer,
    readonly options: DetectorOptions
  ) {
    const of = (which: string): Counts => countersOf(names, (name) => this.counters.get(`producer.${which}.${name}`))
    this.#counts = { events: of('event'), raw: of('monitor') }
  }

  send({ kind, source, value, events, timestampMs }: FormedMessage): void {
    const { raw_topic: rawTopic, topic, send_buffer_bytes: room } = this.options
    const to = kind === 'raw' ? rawTopic : topic
    if (to === undefined) return
    const counts = this.#counts[kind]
    this.events += events
    this.messages++
    counts.produce_calls.value++
    if (this.producer.bufferedBytes + value.length > room) {
      if (kind === 'raw') this.lostRaw++
      else this.lostInBuffer += Math.max(1, events)
      counts.produce_errors.value++
      counts.produce_bytes_error.value += value.length
      return
    }
    counts.produce_bytes_ok.value += value.length
    const message = { topic: to, key: source, value, ...(timestampMs !== undefined && { timestampMs }) }
    this.producer.send(message, (error) => {
      if (error === null) {
        this.deliveredEvents += events
        this.deliveredMessages++
        counts['msg.delivery_success'].value++
        return
      }
      counts['error.msg_delivery'].value++
      if (kind === 'raw') this.lostRaw++
      else this.lostInKafka += Math.max(1, events)
      this.lastError = error
    })
  }
}
