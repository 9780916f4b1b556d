// pvAccess in big-endian byte order: pvAccessJava sends it, and reads nothing else. All its types: epics-matrix.test.ts.
import assert from 'node:assert/strict'
import { type PvStructure, type Update, type Vector } from '../../schemas/index.js'
import { Borrower, connecting, only, states, type Epics, type Recorder } from '../support/epics.js'
import { startProxy } from '../support/epics-proxy.js'
import { startIoc, type Ioc } from '../support/ioc.js'

const vectorOf = ({ value }: Update): Vector => value as Vector

/** The first element of an array whose others count on from 1. */
function firstOf({ dtype, length, bytes }: Vector, wanted: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const read = (i: number): number => (dtype === 'uint16' ? view.getUint16(2 * i, true) : view.getFloat64(8 * i, true))
  assert.equal(length, wanted)
  for (let i = 1; i < length; i++) if (read(i) !== i) assert.fail(`element ${i} is ${read(i)}`)
  return read(0)
}

/** Flags of the headers of a byte stream, which must end with a whole message. */
function flagsOf(stream: Buffer): number[] {
  const flags: number[] = []
  let at = 0
  while (at < stream.length) {
    assert.equal(stream[at], 0xca)
    const flag = stream.readUInt8(at + 2)
    flags.push(flag)
    // A control message has no payload.
    at += 8 + ((flag & 1) === 0 ? stream.readUInt32BE(at + 4) : 0)
  }
  assert.equal(at, stream.length)
  return flags
}

describe('pvAccess in big-endian byte order', function () {
  this.timeout(120_000)
  let ioc: Ioc
  let epics: Epics
  const connect = connecting()
  before(async function () {
    this.timeout(600_000)
    ioc = await startIoc({ kind: 'java', macros: { P: 'J:' } })
  })
  after(() => ioc?.stop())
  beforeEach(async () => {
    epics = await connect(only([], [ioc.pvaAddress]))
  })

  it('is what both sides send, large messages in segments', async () => {
    const proxy = await startProxy('pva', ioc.pvaServer)
    const [server, client]: Buffer[][] = [[], []]
    proxy.onServer = (chunk) => {
      server?.push(Buffer.from(chunk))
      return chunk
    }
    proxy.onClient = (chunk) => {
      client?.push(Buffer.from(chunk))
      return chunk
    }
    const proxied = await connect(only([], [`127.0.0.1:${proxy.udpPort}`]))
    const channel = proxied.open('pva', 'J:large:float64', { queue_size: 2, fields: ['value'] })
    await channel.value()
    await ioc.call('count', { name: 'J:large:float64', n: 60_000, first: -1 })
    await channel.value((update) => vectorOf(update).length === 60_000)
    await proxied.close()
    await proxy.stop()
    const [fromServer, fromClient] = [flagsOf(Buffer.concat(server ?? [])), flagsOf(Buffer.concat(client ?? []))]
    assert.ok(fromServer.every((flag) => (flag & 0xc0) === 0xc0), fromServer.join()) // prettier-ignore
    assert.ok(fromClient.every((flag) => flag === 0x80), fromClient.join()) // prettier-ignore
    // Byte order, greeting, created, monitor ready, two updates of which the large one is in segments.
    assert.equal(fromServer[0], 0xc1)
    assert.ok(fromServer.filter((flag) => (flag & 0x30) !== 0).length > 2, fromServer.join())
    // Greeting, create, monitor, start, acknowledgement of two updates.
    assert.ok(fromClient.length >= 5)
  })

  it('value, alarm, time and units; a change of the alarm alone', async () => {
    const channel = epics.open('pva', 'J:full')
    const first = await channel.value()
    assert.deepEqual([first.value, first.units, first.timestampNs], [5.5, 'mm', 1_700_000_000_123_456_789n])
    // Its display has a format instead of a precision.
    assert.equal(first.precision, 3)
    assert.deepEqual(first.alarm, { severity: 2, status: 3, message: 'HIHI' })
    await ioc.call('delta', { name: 'J:full', fields: { 'alarm.severity': 1, 'alarm.message': 'too warm' } })
    const update = await channel.value((next) => next.alarm.severity === 1)
    assert.deepEqual([update.value, update.units, update.alarm.message], [5.5, 'mm', 'too warm'])
    await ioc.call('delta', { name: 'J:full', fields: { 'display.units': 'cm', 'display.format': '%d' } })
    await ioc.put('J:full', -6.5, { timestamp: [1_750_000_000, 7] })
    const last = await channel.value(({ value }) => value === -6.5)
    assert.deepEqual([last.units, last.precision, last.timestampNs], ['cm', null, 1_750_000_000_000_000_007n])
    // The change of the unit alone is no new value.
    assert.equal(channel.updates.filter(({ kind }) => kind === 'value').length, 3)
  })

  it('labels, texts, 64-bit integers', async () => {
    const [label, text, long] = ['enum', 'scalar:string', 'scalar:int64'].map((name) => epics.open('pva', `J:${name}`))
    const first = await label!.value()
    assert.deepEqual([first.dtype, first.value, first.enumStrings?.[1]], ['enum', 1, 'ON'])
    await Promise.all([text!.value(), long!.value()])
    await ioc.put('J:enum', 2)
    await ioc.put('J:scalar:string', 'a longer text')
    await ioc.put('J:scalar:int64', -9007199254740993n)
    await label!.value(({ value }) => value === 2)
    await text!.value(({ value }) => value === 'a longer text')
    await long!.value(({ value }) => value === -9007199254740993n)
  })

  it('structures in structures, any, union, arrays of structures', async () => {
    const { value } = await epics.open('pva', 'J:struct').value()
    const { typeId, fields } = value as PvStructure
    assert.equal(typeId, 'my:struct')
    assert.deepEqual([fields.get('x'), fields.get('any'), fields.get('un')], [1.25, 18446744073709551615n, 'sel'])
    assert.deepEqual([...(fields.get('sub') as PvStructure).fields], [['y', 7], ['z', ['p', 'q']]]) // prettier-ignore
    const list = fields.get('arr') as PvStructure[]
    assert.deepEqual(list.map((one) => one.fields.get('q')), [1, 2, undefined]) // prettier-ignore
    const some = epics.open('pva', 'J:full', { fields: ['value', 'timeStamp.nanoseconds'] })
    assert.equal((await some.value()).alarm.severity, 0)
  })

  for (const name of ['J:large:uint16', 'J:large:float64']) {
    const length = 60_000
    const rounds = 20
    const wanted = Array.from({ length: rounds }, (_, i) => 101 + i)
    /** One after the other: what the server sends while another is under way it may merge. */
    const countOn = async (channel: Recorder): Promise<void> => {
      await channel.value()
      for (const first of wanted) {
        const from = channel.updates.length
        await ioc.call('count', { name, n: length, first })
        await channel.until(({ kind }) => kind === 'value', from)
      }
    }

    it(`${name}: arrays that are kept stay as they were`, async () => {
      const channel = epics.open('pva', name)
      await countOn(channel)
      const vectors = channel.updates.filter(({ kind, first }) => kind === 'value' && !first).map(vectorOf)
      assert.deepEqual(
        vectors.map((vector) => firstOf(vector, length)),
        wanted
      )
      assert.equal(new Set(vectors.map(({ bytes }) => bytes.buffer)).size, rounds)
    })

    it(`${name}: arrays that are given back make room for the next, also beside one that is kept`, async () => {
      const borrower = new Borrower(vectorOf, (vector) => firstOf(vector, length))
      const take = (update: Update): void => {
        if (update.kind === 'value' && !update.first) borrower.take(update)
      }
      await countOn(epics.open('pva', name, { queue_size: 4 }, take))
      assert.deepEqual(borrower.seen, wanted)
      assert.equal(firstOf(vectorOf(borrower.kept!), length), 109)
      assert.ok(borrower.memory.size <= 5, `${borrower.memory.size} pieces of memory`)
    })
  }

  it('comes back when the server is killed and started again', async () => {
    const [small, large, missing] = ['scalar:uint16', 'large:uint16', 'nobody'].map((name) => epics.open('pva', `J:${name}`)) // prettier-ignore
    await Promise.all([small!.value(), large!.value()])
    await ioc.put('J:scalar:uint16', 65_535)
    await small!.value(({ value }) => value === 65_535)
    const from = small!.updates.length
    await ioc.kill9()
    await Promise.all([small!.connection(3), large!.connection(3)])
    await ioc.restart()
    const again = await small!.until(({ kind }) => kind === 'value', from)
    assert.deepEqual([again.value, again.first, again.connection], [0, true, 2])
    await large!.until((update) => update.kind === 'value' && vectorOf(update).length === 0)
    await ioc.put('J:scalar:uint16', 6)
    assert.equal((await small!.value(({ value }) => value === 6)).first, false)
    assert.deepEqual([states(small!), states(large!), states(missing!)], [[1, 2, 3, 2], [1, 2, 3, 2], [1]]) // prettier-ignore
    // One channel that is closed takes nothing from the other.
    await large!.subscription.close()
    await ioc.put('J:scalar:uint16', 7)
    await small!.value(({ value }) => value === 7)
    assert.deepEqual(epics.warnings, [])
  })
})
