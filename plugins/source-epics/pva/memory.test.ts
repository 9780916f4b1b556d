// Memory of large vectors that is used again: whatever the order of updates, nobody sees it change who has not given it back.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { PvaEncoder } from '../../../test/support/pva-encoder.js'
import { READ_BYTES } from '../shared/gatherer.js'
import { PvaFramer } from './framer.js'
import { Command } from './protocol.js'
import { MonitorState } from './state.js'
import { Code, type PvType, type StructureType } from './types.js'
import { LARGE_BYTES, type PvValue } from '../../../schemas/index.js'

const words: PvType = { kind: 'array', code: Code.UINT16, fixed: -1, weight: 1 }
const pair: PvType = { kind: 'structure', id: '', fields: ['x', 'y'].map((name) => ({ name, type: words })), weight: 3 }
const either = [
  { name: 'one', type: words },
  { name: 'two', type: pair }
]
const type: StructureType & PvType = {
  kind: 'structure',
  id: '',
  weight: 4,
  fields: [
    { name: 'value', type: { kind: 'union', id: '', fields: either, weight: 1 } },
    { name: 'big', type: words },
    { name: 'n', type: { kind: 'scalar', code: Code.INT32, weight: 1 } }
  ]
}

/** Numbers of elements: of the value's vectors (two: a structure), of the other large field; undefined: not in the update. */
interface Step {
  readonly channel: number
  readonly value: readonly number[] | undefined
  readonly big: number | undefined
  readonly isBigEndian: boolean
  readonly segments: number
  /** What its receiver gives back: the update before, this one at once, nothing. */
  readonly gives: 'before' | 'this' | 'none'
  readonly isCut: boolean
}

/** `length` elements, all alike; the same in both byte orders. */
const filled = (length: number, id: number): Buffer => Buffer.alloc(length * 2, id & 255)

function message(step: Step, id: number): Buffer {
  const { value, big, channel } = step
  const encoder = new PvaEncoder(step.isBigEndian).u32(channel).u8(0)
  encoder.mask([...(value === undefined ? [] : [1]), ...(big === undefined ? [] : [2]), 3])
  if (value !== undefined) encoder.size(value.length - 1)
  for (const [i, length] of (value ?? []).entries()) encoder.size(length).raw(filled(length, id + i))
  if (big !== undefined) encoder.size(big).raw(filled(big, id + 2))
  return (step.isCut ? encoder : encoder.u32(id).mask([])).message(Command.MONITOR, step.segments)
}

/** All vectors of an update. */
function vectors(value: PvValue): Uint8Array[] {
  if (typeof value !== 'object' || value === null) return []
  if ('bytes' in value) return [value.bytes]
  return 'fields' in value ? [...value.fields.values()].flatMap(vectors) : []
}

interface Held {
  readonly bytes: readonly Uint8Array[]
  readonly asTheyWere: readonly Buffer[]
  readonly giveBack: (() => void) | undefined
}

/** A circuit with two channels; `take` is called for every update. */
function circuit(take: (channel: number, state: MonitorState) => void) {
  const states = [new MonitorState(type), new MonitorState(type)]
  return new PvaFramer(
    8 << 20,
    (_command, reader) => {
      const channel = reader.u32()
      reader.u8()
      states[channel]!.apply(reader, new Map())
      take(channel, states[channel]!)
    },
    () => assert.fail('too large')
  )
}

const length = fc.oneof(fc.constantFrom(0, 32_768, 32_769, 50_000), fc.integer({ min: 0, max: 90_000 }))
const steps = fc.array(
  fc.record<Step>({
    channel: fc.nat(1),
    value: fc.option(fc.array(length, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 2 }),
    big: fc.option(length, { nil: undefined, freq: 2 }),
    isBigEndian: fc.boolean(),
    segments: fc.constantFrom(1, 1, 1, 2, 3),
    gives: fc.constantFrom('before', 'before', 'before', 'this', 'none'),
    isCut: fc.integer({ min: 0, max: 19 }).map((n) => n === 0)
  }),
  { minLength: 5, maxLength: 30 }
)

describe('memory of large vectors over pvAccess', () => {
  it('stays as it is until it has been given back', () => {
    const readBuffer = Buffer.alloc(READ_BYTES)
    fc.assert(
      fc.property(steps, fc.integer({ min: 1000, max: READ_BYTES }), (list, chunkBytes) => {
        const held = new Set<Held>()
        const before: (Held | undefined)[] = []
        let step = list[0]!
        const take = (channel: number, state: MonitorState): void => {
          const bytes = vectors(state.structure())
          const update = { bytes, asTheyWere: bytes.map((one) => Buffer.from(one)), giveBack: state.lend() }
          for (const one of bytes) assert.ok(one.every((byte) => byte === one[0]))
          held.add(update)
          const given = step.gives === 'before' ? before[channel] : step.gives === 'this' ? update : undefined
          if (given !== undefined) held.delete(given)
          for (let again = 0; again < 2; again++) given?.giveBack?.()
          before[channel] = step.gives === 'this' ? undefined : update
        }
        let framer = circuit(take)
        for (const [i, one] of list.entries()) {
          step = one
          const bytes = message(one, (3 * i) % 250)
          try {
            for (let at = 0; at < bytes.length; at += chunkBytes)
              framer.push(readBuffer.subarray(0, bytes.copy(readBuffer, 0, at, at + chunkBytes)))
          } catch (error) {
            assert.ok(one.isCut && error instanceof RangeError, String(error))
            framer = circuit(take) // Connected anew; what was received is still there
          }
          for (const { bytes, asTheyWere } of held)
            for (const [k, was] of asTheyWere.entries()) assert.ok(was.equals(bytes[k]!), `changed in step ${i}`)
        }
      }),
      { numRuns: 40 }
    )
  })

  it('is lent from the size on from which it is kept', () => {
    const lends: boolean[] = []
    const framer = circuit((_channel, state) => lends.push(state.lend() !== undefined))
    const one = { channel: 0, value: undefined, isBigEndian: false, segments: 1, gives: 'none', isCut: false } as const
    for (const big of [LARGE_BYTES / 2 - 1, LARGE_BYTES / 2]) framer.push(message({ ...one, big }, 1))
    assert.deepEqual(lends, [false, true])
  })
})
