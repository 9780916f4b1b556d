// What real EPICS servers send beside plain values: metadata, alarms, texts, structures, flow control. Plain values: epics-matrix.test.ts.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type PvStructure, type Update, type Vector } from '../../schemas/index.js'
import { only, openEpics, type Epics } from '../support/epics.js'
import { startIoc, type Ioc, type IocKind } from '../support/ioc.js'
import { python } from '../support/python.js'

const db = fileURLToPath(new URL('../../../test/samples/ioc/types.db', import.meta.url))

/** Numbers of a vector. */
function numbers(value: Update['value']): (number | bigint)[] {
  const { dtype, length, bytes } = value as Vector
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const read: Record<string, (i: number) => number | bigint> = {
    int8: (i) => view.getInt8(i),
    uint8: (i) => view.getUint8(i),
    int16: (i) => view.getInt16(2 * i, true),
    uint16: (i) => view.getUint16(2 * i, true),
    int32: (i) => view.getInt32(4 * i, true),
    uint32: (i) => view.getUint32(4 * i, true),
    int64: (i) => view.getBigInt64(8 * i, true),
    uint64: (i) => view.getBigUint64(8 * i, true),
    float32: (i) => view.getFloat32(4 * i, true),
    float64: (i) => view.getFloat64(8 * i, true)
  }
  return Array.from({ length }, (_, i) => (read[dtype] as (i: number) => number | bigint)(i))
}
const shown = ({ value, dtype }: Update): unknown =>
  value !== null && typeof value === 'object' && 'bytes' in value ? numbers(value) : dtype === 'structure' ? '…' : value

describe('EPICS types from real servers', function () {
  this.timeout(120_000)
  before(async function () {
    this.timeout(600_000)
    await python()
  })

  const servers: [IocKind, 'ca' | 'pva'][] = [
    ['ca', 'ca'],
    ['qsrv1', 'pva'],
    ['qsrv2', 'pva']
  ]
  for (const [kind, protocol] of servers) {
    describe(`${protocol} from ${kind}`, () => {
      let ioc: Ioc
      let epics: Epics
      before(async () => {
        ioc = await startIoc({ kind, db, macros: { P: 'T:' } })
        epics = await openEpics(only([ioc.caAddress], [ioc.pvaAddress]))
      })
      after(async () => {
        await epics.close()
        await ioc.stop()
        assert.deepEqual(epics.warnings, [])
      })

      it('units, precision and labels come with the first value, new ones with the next', async () => {
        const [number, label] = [epics.open(protocol, 'T:slow'), epics.open(protocol, 'T:mbbo')]
        const first = await number.value()
        assert.deepEqual([first.units, first.precision, first.enumStrings], ['mm', 3, null])
        assert.equal((await epics.open(protocol, 'T:micro').value()).units, 'µA')
        assert.equal((await label.value()).enumStrings?.[2], 'twenty-five characters..')
        assert.equal((await label.value()).enumStrings?.length, 16)
        await ioc.put('T:slow.EGU', 'km')
        await ioc.put('T:slow', 1)
        // The new unit travels on a subscription of its own over CA: it may be just behind the value.
        await ioc.put('T:slow', 2)
        assert.equal((await number.value(({ value, units }) => value === 2 && units === 'km')).precision, 3)
      })

      it('alarms have the same words over both protocols', async () => {
        const channel = epics.open(protocol, 'T:slow')
        await channel.value()
        const steps: [number, number, number, string][] = [
          [95, 2, 3, 'HIHI'],
          [60, 1, 4, 'HIGH'],
          [-60, 1, 6, 'LOW'],
          [-95, 2, 5, 'LOLO'],
          [0, 0, 0, '']
        ]
        for (const [value, severity, status, message] of steps) {
          await ioc.put('T:slow', value)
          assert.deepEqual((await channel.value((next) => next.value === value)).alarm, { severity, status, message })
        }
        const state = epics.open(protocol, 'T:bo')
        await ioc.put('T:bo', 1)
        const { alarm } = await state.value(({ value }) => value === 1)
        assert.deepEqual(alarm, { severity: 2, status: 7, message: 'STATE' })
      })

      it('a record that was never processed has no time', async () => {
        const update = await epics.open(protocol, 'T:never').value()
        assert.equal(update.timestampNs, 0n)
        assert.deepEqual(update.alarm, { severity: 3, status: 17, message: 'UDF' })
        const empty = await epics.open(protocol, 'T:wf:empty').value()
        assert.deepEqual([shown(empty), empty.dtype], [[], 'float64'])
      })

      it('NaN is NaN', async () => {
        assert.ok(Number.isNaN((await epics.open(protocol, 'T:nan').value()).value))
      })

      it('200,000 elements arrive whole', async () => {
        const channel = epics.open(protocol, 'T:wf:large')
        await channel.value()
        const list = Array.from({ length: 200_000 }, (_, i) => i * 0.5)
        await ioc.put('T:wf:large', list)
        const update = await channel.value(({ value }) => (value as Vector).length === 200_000)
        assert.deepEqual(numbers(update.value), list)
      })

      it('long strings are whole on request', async () => {
        const text = 'A sentence of more than forty characters, with µ and €, as many records have.'
        await ioc.put('T:lso.VAL$', text)
        await ioc.put('T:wf:text', [...Buffer.from(text)])
        const name = protocol === 'ca' || kind === 'qsrv1' ? 'T:lso.VAL$' : 'T:lso'
        assert.equal((await epics.open(protocol, name, { long_string: true }).value()).value, text)
        assert.equal((await epics.open(protocol, 'T:wf:text', { long_string: true }).value()).value, text)
        if (protocol !== 'ca') return
        const plainName = await epics.open(protocol, 'T:lso', { long_string: true }).value()
        assert.deepEqual([plainName.value, plainName.source, plainName.dtype], [text, 'T:lso', 'string'])
      })
    })
  }

  it('group of records over pvAccess is a structure', async () => {
    const ioc = await startIoc({ kind: 'qsrv2', db, macros: { P: 'T:' } })
    const epics = await openEpics(only([], [ioc.pvaAddress]))
    try {
      const channel = epics.open('pva', 'T:grp')
      await channel.value()
      await ioc.put('T:grp:s', 'new')
      const inner = ({ value }: Update, name: string) => (value as PvStructure).fields.get(name) as PvStructure
      const update = await channel.value((next) => inner(next, 's').fields.get('value') === 'new')
      assert.equal((update.value as PvStructure).typeId, 'my/struct:1.0')
      assert.equal(inner(update, 'x').fields.get('value'), 1)
      // What was emitted before is not changed by what comes later.
      assert.equal(inner(await channel.value(), 's').fields.get('value'), 's')
      const some = epics.open('pva', 'T:double', { fields: ['value', 'alarm.severity'] })
      const cut = await some.value()
      assert.deepEqual([cut.value, cut.units, cut.timestampNs], [3.25, '', 0n])
    } finally {
      await epics.close()
      await ioc.stop()
    }
  })

  describe('pva from p4p', () => {
    let ioc: Ioc
    let epics: Epics
    before(async () => {
      ioc = await startIoc({ kind: 'p4p', macros: { P: 'S:' } })
      epics = await openEpics(only([], [ioc.pvaAddress]))
    })
    after(async () => {
      await epics.close()
      await ioc.stop()
    })

    it('NTEnum: index and labels of any length', async () => {
      const update = await epics.open('pva', 'S:enum').value()
      assert.deepEqual([update.dtype, update.value], ['enum', 1])
      assert.deepEqual(update.enumStrings, ['OFF', 'ON', 'a choice much longer than twenty-six characters'])
    })

    it('an alarm-only change keeps the value', async () => {
      const channel = epics.open('pva', 'S:full')
      const first = await channel.value()
      assert.deepEqual([first.value, first.units, first.alarm.message], [5.5, 'mm', 'HIHI'])
      await ioc.call('delta', { name: 'S:full', fields: { 'alarm.severity': 1, 'alarm.message': 'too warm' } })
      const update = await channel.value((next) => next.alarm.severity === 1)
      assert.deepEqual([update.value, update.units, update.alarm.message], [5.5, 'mm', 'too warm'])
      await ioc.call('delta', { name: 'S:full', fields: { 'display.units': 'cm' } })
      await ioc.call('delta', { name: 'S:full', fields: { value: 6.5 } })
      const last = await channel.value(({ value }) => value === 6.5)
      assert.equal(last.units, 'cm')
      // The change of the unit alone is no new value.
      assert.equal(channel.updates.filter(({ kind }) => kind === 'value').length, 3)
    })

    it('NTTable, NTNDArray and any other structure', async () => {
      const fields = ({ value }: Update) => (value as PvStructure).fields
      const table = fields(await epics.open('pva', 'S:table').value())
      assert.deepEqual(table.get('labels'), ['a', 'b', 'c'])
      const columns = (table.get('value') as PvStructure).fields
      assert.deepEqual(numbers(columns.get('a') as Vector), [1, 2])
      assert.deepEqual(columns.get('b'), ['x', 'y'])
      assert.deepEqual(numbers(columns.get('c') as Vector), [3, 4])
      const image = fields(await epics.open('pva', 'S:image').value())
      assert.deepEqual(numbers(image.get('value') as Vector), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
      assert.deepEqual((image.get('dimension') as PvStructure[]).map((one) => one.fields.get('size')), [4, 3]) // prettier-ignore
      const struct = fields(await epics.open('pva', 'S:struct').value())
      assert.equal(struct.get('x'), 1.25)
      assert.equal(struct.get('un'), 'sel')
      assert.deepEqual((struct.get('sub') as PvStructure).fields.get('z'), ['p', 'q'])
    })

    // Row E13
    it('NTMatrix and NTHistogram: whole, as structures, since f142 and f144 have no place for dimensions and ranges', async () => {
      const fields = ({ dtype, value }: Update) => (assert.equal(dtype, 'structure'), (value as PvStructure).fields)
      const matrix = fields(await epics.open('pva', 'S:matrix').value())
      assert.deepEqual(numbers(matrix.get('value') as Vector), [1, 2, 3, 4, 5, 6])
      assert.deepEqual(numbers(matrix.get('dim') as Vector), [2, 3])
      const histogram = fields(await epics.open('pva', 'S:histogram').value())
      assert.deepEqual(numbers(histogram.get('ranges') as Vector), [0, 1.5, 4])
      const { dtype, bytes } = histogram.get('value') as Vector
      assert.deepEqual([dtype, [...new BigInt64Array(bytes.slice().buffer)]], ['int64', [7n, 2n ** 53n + 1n]])
    })

    it('frames with flow control: none lost, in order', async () => {
      const channel = epics.open('pva', 'S:image', { queue_size: 4 })
      await channel.value()
      const pixel = ({ value }: Update) => numbers((value as PvStructure).fields.get('value') as Vector)[0]
      // Half of what the server holds for a client that has no time: it replaces the last when all is full
      for (let last = 2; last <= 40; last += 2) {
        await ioc.call('frames', { name: 'S:image', n: 2, hz: 1000, first: last - 1 })
        await channel.until((next) => next.kind === 'value' && pixel(next) === last)
      }
      const seen = channel.updates.filter(({ kind, first }) => kind === 'value' && !first).map(pixel)
      assert.deepEqual(
        seen,
        Array.from({ length: 40 }, (_, i) => i + 1)
      )
    })

    it('bursts that the server cannot send at once are kept by it', async () => {
      const channel = epics.open('pva', 'S:scalar:int32')
      await channel.value()
      for (let round = 0; round < 30; round++) {
        await ioc.ramp(['S:scalar:int32'], 9, 0, 100 * round)
        await channel.value(({ value }) => value === 100 * round + 8)
      }
      const seen = channel.updates.filter(({ kind, first }) => kind === 'value' && !first).map(({ value }) => value)
      assert.deepEqual(
        seen,
        Array.from({ length: 30 * 9 }, (_, i) => 100 * Math.floor(i / 9) + (i % 9))
      )
    })

    it('a channel closed and reopened by its server comes back', async () => {
      const channel = epics.open('pva', 'S:counter')
      await channel.value()
      await ioc.call('close', { name: 'S:counter' })
      await channel.connection(3)
      const from = channel.updates.length
      await ioc.call('reopen', { name: 'S:counter', value: 77 })
      const update = await channel.until(({ kind }) => kind === 'value', from)
      assert.deepEqual([update.value, update.first], [77, true])
    })
  })

  it('ca from caproto: exact time, alarm, text, enum', async () => {
    const ioc = await startIoc({ kind: 'caproto', macros: { P: 'V:' } })
    const epics = await openEpics(only([ioc.caAddress], []))
    try {
      const value = (name: string, config = {}) => epics.open('ca', `V:${name}`, config).value()
      assert.deepEqual([(await value('i')).value, (await value('i')).units], [5, 'mA'])
      assert.deepEqual([(await value('e')).value, (await value('e')).enumStrings], [1, ['a', 'b', 'c']])
      assert.deepEqual(shown(await value('b')), [0, 255, 128])
      assert.deepEqual(shown(await value('arr')), [1, 2, 3])
      assert.deepEqual([(await value('fl')).value, (await value('fl')).dtype], [2.5, 'float32'])
      assert.deepEqual([(await value('sh')).value, (await value('sh')).dtype], [-7, 'int16'])
      assert.equal((await value('s', { long_string: true })).value, 'hello')
      const channel = epics.open('ca', 'V:f')
      await channel.value()
      await ioc.put('V:f', 9.25, { timestamp: 1_700_000_000.25, status: 'HIHI', severity: 'MAJOR_ALARM' })
      const update = await channel.value((next) => next.value === 9.25)
      assert.equal(update.timestampNs, 1_700_000_000_250_000_000n)
      assert.deepEqual(update.alarm, { severity: 2, status: 3, message: 'HIHI' })
    } finally {
      await epics.close()
      await ioc.stop()
    }
  })

  it('the clients have no message that could change a PV', () => {
    const source = (file: string) =>
      readFileSync(new URL(`../../../plugins/source-epics/${file}/protocol.ts`, import.meta.url), 'utf8')
    const numbersIn = (text: string) =>
      [...(/Command = \{([^}]*)\}/.exec(text)?.[1] ?? '').matchAll(/\w+: (\d+)/g)].map((match) => Number(match[1]))
    // CA: WRITE 4, WRITE_NOTIFY 19. pvAccess: PUT 11, PUT_GET 12, PROCESS 16, RPC 20.
    assert.ok(numbersIn(source('ca')).length >= 15)
    assert.deepEqual(numbersIn(source('ca')).filter((n) => n === 4 || n === 19), []) // prettier-ignore
    assert.ok(numbersIn(source('pva')).length >= 10)
    assert.deepEqual(numbersIn(source('pva')).filter((n) => [11, 12, 16, 20].includes(n)), []) // prettier-ignore
  })
})
