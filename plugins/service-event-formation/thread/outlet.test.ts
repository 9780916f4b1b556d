import assert from 'node:assert/strict'
import { connectKafka } from '../../../core/kafka/client.js'
import { freePorts } from '../../tools-dev/fetched/ports.js'
import { type DetectorOptions } from '../options.js'
import { FormedOutlet } from './outlet.js'

describe('what is formed, without Kafka', () => {
  it('is counted when it has no room or is not taken, raw copies as such', async () => {
    const [port] = await freePorts(1)
    const kafka = connectKafka({ brokers: [`127.0.0.1:${port}`] })
    const producer = kafka.producer({ lingerMs: 0, deliveryTimeoutMs: 100 })
    const outlet = new FormedOutlet(producer, { topic: 'events', raw_topic: 'raw', send_buffer_bytes: 1_048_576 } as DetectorOptions) // prettier-ignore
    const value = Buffer.alloc(400_000)
    outlet.send({ kind: 'raw', source: 'monitor', value, events: 0 })
    outlet.send({ kind: 'events', source: 'monitor', value, events: 7 })
    outlet.send({ kind: 'raw', source: 'monitor', value, events: 0 })
    outlet.send({ kind: 'events', source: 'monitor', value, events: 5 })
    // A pulse message: whoever puts frames together loses all of its frame
    outlet.send({ kind: 'events', source: '', value, events: 0 })
    const { lostRaw, lostInBuffer, lostInKafka } = outlet
    assert.deepEqual({ lostRaw, lostInBuffer, lostInKafka }, { lostRaw: 1, lostInBuffer: 6, lostInKafka: 0 })
    await producer.close().catch(() => undefined)
    await kafka.close().catch(() => undefined)
    assert.equal(outlet.lostRaw, 2)
    assert.equal(outlet.lostInKafka, 7)
    assert.equal(outlet.events, outlet.deliveredEvents + outlet.lostInBuffer - 1 + outlet.lostInKafka)
  })
})
