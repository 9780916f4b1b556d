// Large values: their memory is used again once it is given back, and never before.
import assert from 'node:assert/strict'
import { type PvStructure, type Update, type Vector } from '../../schemas/index.js'
import { frameCodec } from '../../plugins/converter-frames/codec.js'
import { Borrower, openEpics, only, type Epics } from '../support/epics.js'
import { liveForwarder, readUntil, type Message } from '../support/forwarder/live.js'
import { startIoc, type Ioc } from '../support/ioc.js'
import { kafka, testTopics } from '../support/kafka.js'

const [width, height] = [300, 200]
const FRAMES = 60
/** What the server is asked to keep for a client that is slow; what comes on top it drops. */
const QUEUE = 4
const AT_ONCE = QUEUE / 2

const vectorOf = ({ value }: Update): Vector => (value as PvStructure).fields.get('value') as Vector

/** The pixels count on from 0, but for the first, which counts the frames. */
function numberOf({ bytes, length }: Vector): number {
  const pixels = new Uint16Array(new Uint8Array(bytes).buffer)
  assert.equal(length, width * height)
  for (let i = 1; i < length; i++) if (pixels[i] !== i % 65_536) assert.fail(`pixel ${i} is ${pixels[i]}`)
  return pixels[0]!
}
const counted = Array.from({ length: FRAMES }, (_, i) => i + 1)

describe('images', () => {
  let ioc: Ioc
  let epics: Epics
  before(async () => {
    ioc = await startIoc({ kind: 'p4p', macros: { P: 'I:' }, image: [width, height] })
    epics = await openEpics(only([], [ioc.pvaAddress]))
  })
  after(async () => {
    await epics?.close()
    await ioc?.stop()
  })

  /** Fewer at once than the server keeps: nothing is dropped, whatever else the machine has to do. */
  async function post(n: number, came: (n: number) => Promise<unknown>): Promise<void> {
    for (let done = 0; done < n; done += AT_ONCE) {
      await ioc.call('frames', { name: 'I:image', n: AT_ONCE, hz: 100, first: done + 1 })
      await came(done + AT_ONCE)
    }
  }

  it('that are kept stay as they were', async () => {
    const channel = epics.open('pva', 'I:image', { queue_size: QUEUE })
    await channel.value()
    const values = (): Update[] => channel.updates.filter(({ kind, first }) => kind === 'value' && !first)
    await post(FRAMES, (n) => channel.until(() => values().length >= n))
    assert.deepEqual(
      values().map((update) => numberOf(vectorOf(update))),
      counted
    )
    assert.equal(new Set(values().map((update) => vectorOf(update).bytes.buffer)).size, FRAMES)
    await channel.subscription.close()
  })

  it('that are given back make room for the next, also beside one that is kept', async () => {
    const borrower = new Borrower(vectorOf, numberOf)
    const take = (update: Update): void => {
      if (update.kind === 'value') borrower.take(update)
    }
    const channel = epics.open('pva', 'I:image', { queue_size: QUEUE }, take)
    await channel.value()
    await post(FRAMES, (n) => channel.until(() => borrower.seen.length > n))
    assert.deepEqual(borrower.seen.slice(1), counted)
    assert.equal(numberOf(vectorOf(borrower.kept!)), 8)
    assert.ok(borrower.memory.size <= 5, `${borrower.memory.size} pieces of memory`)
    await channel.subscription.close()
  })

  it('reach Kafka whole, in every schema, kept or not, from the start on', async () => {
    const { brokers } = await kafka()
    const { ad00, NDAr } = await testTopics(['ad00', 'NDAr'])
    const live = await liveForwarder(brokers, [ioc])
    try {
      const source = { channel: 'I:image', protocol: 'pva', connection_schema: 'none', alarm_schema: 'none' }
      const options = { source_options: { queue_size: QUEUE }, lossless: true }
      const streams = [
        { ...source, ...options, topic: ad00, converters: [{ schema: 'ad00' }], periodic_ms: 50 },
        { ...source, ...options, topic: NDAr, converters: [{ schema: 'NDAr' }] }
      ]
      const reply = await live.run('start', { streams })
      assert.deepEqual([reply.response, reply.errors], ['ACK', undefined])
      await readUntil(brokers, NDAr, (messages) => messages.length > 0)
      const last = 40
      await post(last, (n) => readUntil(brokers, NDAr, (messages) => messages.length > n))
      for (const [schema, topic] of [
        ['ad00', ad00],
        ['NDAr', NDAr]
      ] as const) {
        const number = ({ value }: Message): number => numberOf(frameCodec(schema).decode(value).data)
        const messages = await readUntil(brokers, topic, (list) => list.slice(-1).some((one) => number(one) === last))
        const withoutRepeats = messages.map(number).filter((one, i, all) => one !== all[i - 1])
        assert.deepEqual(withoutRepeats, [FRAMES, ...counted.slice(0, last)], schema)
      }
    } finally {
      await live.close()
    }
  })
})
