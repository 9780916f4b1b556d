// All converters: golden messages there and back, Kafka times.
import assert from 'node:assert/strict'
import { BadMessage } from '../../core/api/plugin.js'
import { decodeJson, type Converter } from '../../schemas/index.js'
import { array, converterParts, doubles, goldens, openConverter, state, update } from '../support/converters.js'

/** Schemas of data; commands and answers have no converter. */
const schemas =
  'ADAr NDAr ad00 aev2 al00 an44 da00 dat2 dev2 ep00 ep01 ev42 ev43 ev44 f142 f144 hs00 hs01 json ns10 pu00 se00 senv tdct un00 vc00'.split(
    ' '
  )
// Where each schema has its source name and its time (ns, or a list of them).
const sourceKeys = ['source_name', 'name', 'Name', 'source', 'key']
const timeKeys = ['timestamp', 'pulse_time', 'reference_time', 'packet_timestamp', 'PacketTimestamp', 'timestamps']
const isCompared = (id: string) => !['ns10', 'NDAr', 'json', 'df12', 'dat2', 'dev2', 'aev2'].includes(id)
/** Samples that are sound FlatBuffers but say too little to be used; all others that are refused have no usable time. */
const refused: Readonly<Record<string, string>> = {
  'da00-x1': 'unknown_type',
  'ep00-x1': 'missing_field',
  'f142-x1': 'missing_field',
  'hs00-x2': 'missing_field',
  'hs01-x2': 'missing_field',
  'json-3': 'bad_json'
}

function sourceAndTime(message: Readonly<Record<string, unknown>>) {
  const source = sourceKeys.map((key) => message[key]).find((value) => value !== undefined)
  const time = [timeKeys.map((key) => message[key]).find((value) => value !== undefined)].flat()[0]
  return {
    source: (source ?? '') as string,
    time: time === undefined || time === null ? undefined : BigInt(time as string)
  }
}

function attempt(converter: Converter, bytes: Buffer): unknown {
  try {
    return converter.decode?.(bytes)
  } catch (error) {
    if (error instanceof BadMessage) return error
    throw error
  }
}

describe('converters and golden messages', () => {
  it('cover all data schemas', async () => {
    const ids = [...(await converterParts()).keys()].sort()
    const expected =
      'ADAr NDAr ad00 aev2 al00 an44 da00 dat2 dev2 df12 ep00 ep01 ev42 ev43 ev44 f142 f144 hs00 hs01 json ns10 pu00 se00 senv tdct un00 vc00'
    assert.deepEqual(ids, expected.split(' '))
  })

  for (const { name, id, bytes, message } of goldens().filter((one) => schemas.includes(one.id))) {
    it(`${name}: peek, decode and encode agree with the content`, async () => {
      const converter = await openConverter(id)
      const record = attempt(converter, bytes)
      const { source, time } = sourceAndTime(message)
      if (record instanceof BadMessage) {
        assert.equal(record.reason, refused[name] ?? 'bad_timestamp')
        if (record.reason === 'bad_timestamp')
          assert.ok(time === undefined || BigInt.asIntN(64, time) <= 0n, `${name} has the time ${time}`)
        return
      }
      if (isCompared(id)) {
        const peek = { sourceStart: 0, sourceEnd: 0, timestampNs: 0n }
        converter.peek(bytes, peek)
        assert.equal(bytes.toString('utf8', peek.sourceStart, peek.sourceEnd), source)
        assert.equal(peek.timestampNs, time)
      }
      const again = Buffer.from(converter.encode!(record))
      assert.deepEqual(converter.decode!(again), record)
      assert.equal(decodeJson(again).file_identifier, id)
    })
  }

  it('say nothing of connections, and give Kafka the time of the value but repeats the time of sending', async () => {
    for (const id of ['f142', 'f144', 'ns10', 'json', 'se00', 'senv', 'tdct']) {
      const converter = await openConverter(id)
      assert.deepEqual(converter.convert!(update(state(2))), [], id)
      const value = array(doubles(1))
      assert.equal(converter.convert!(update(value))[0]?.timestampMs, 1_700_000_000_123, id)
      assert.equal(converter.convert!(update({ ...value, repeat: true }))[0]?.timestampMs, undefined, id)
    }
  })
})
