// Sends what was formed to Kafka: bounded, each loss counted with its events.
import { type Producer } from '../../../core/api/plugin.js'
import { type FormedMessage } from '../form/message.js'
import { type DetectorOptions } from '../options.js'

export class FormedOutlet {
  events = 0
  messages = 0
  deliveredEvents = 0
  deliveredMessages = 0
  /** Events in messages that had no room, and that Kafka did not take. */
  lostInBuffer = 0
  lostInKafka = 0
  /** Raw copies of which either is true. */
  lostRaw = 0
  lastError: Error | undefined

  constructor(
    readonly producer: Producer,
    readonly options: DetectorOptions
  ) {}

  send({ kind, source, value, events }: FormedMessage): void {
    const { raw_topic: rawTopic, topic, send_buffer_bytes: room } = this.options
    const to = kind === 'raw' ? rawTopic : topic
    if (to === undefined) return
    this.events += events
    this.messages++
    if (this.producer.bufferedBytes + value.length > room) {
      if (kind === 'raw') this.lostRaw++
      else this.lostInBuffer += events
      return
    }
    this.producer.send({ topic: to, key: source, value }, (error) => {
      if (error === null) {
        this.deliveredEvents += events
        this.deliveredMessages++
        return
      }
      if (kind === 'raw') this.lostRaw++
      else this.lostInKafka += events
      this.lastError = error
    })
  }
}
