// Events of any number of pulses per message: vectors are appended as they lie in the message, indices are 64 bits.
import { BadMessage } from '../../core/api/plugin.js'
import { element } from '../../schemas/reader.js'
import { type EventRecord, type Vector } from '../../schemas/index.js'
import {
  timeAttributes,
  type Column,
  type Group,
  type Writer,
  type WriterContext
} from '../service-filewriter/writer-kit.js'
import { AdcColumns, IsisColumns } from './facility.js'

export interface EventModule {
  /** Type of event_id and event_time_offset. */
  readonly integer: 'int32' | 'uint32'
  readonly weights: boolean
}

interface Config {
  readonly cue_interval: number
  readonly chunk_size: number
  readonly pixel_id: number
  readonly total_counts: boolean
  readonly adc_pulse_debug: boolean
  readonly isis_data: boolean
  readonly flavour: 'usual' | 'mantid'
}

export class EventWriter implements Writer<EventRecord> {
  readonly #offset: Column
  readonly #id: Column
  readonly #zero: Column
  readonly #index: Column
  readonly #cueIndex: Column
  readonly #cuePulse: Column
  readonly #cueTime: Column
  readonly #weight: Column | null
  readonly #adc: AdcColumns | null
  readonly #isis: IsisColumns | null
  /** Scratch for the indices of one message. */
  #indices = Buffer.alloc(1024)
  #filler = Buffer.alloc(0)
  #events = 0
  #lastCue = 0
  #lastId: bigint | null = null

  readonly #group: Group
  readonly #config: Config
  readonly #context: WriterContext
  readonly #module: EventModule
  readonly #idType: EventModule['integer']
  readonly #mantid: boolean

  constructor(group: Group, config: Config, context: WriterContext, module: EventModule) {
    this.#group = group
    this.#config = config
    this.#context = context
    this.#mantid = config.flavour === 'mantid'
    this.#module = module
    this.#idType = this.#mantid ? 'uint32' : module.integer

    const { chunk_size: chunk } = config
    const bulk = { dtype: module.integer, chunk, bulk: true } as const
    this.#offset = group.column('event_time_offset', { ...bulk, attributes: { units: 'ns' } })
    this.#id = group.column('event_id', { ...bulk, dtype: this.#idType })
    const weight = this.#mantid ? 'float32' : 'int16'
    this.#weight = module.weights ? group.column('event_weight', { dtype: weight, chunk, bulk: true }) : null
    const { units, start } = timeAttributes
    // Of both, scippnexus would take none
    const attributes = this.#mantid ? { units, offset: start } : timeAttributes
    this.#zero = group.column('event_time_zero', { dtype: 'uint64', index: true, attributes })
    this.#index = group.column('event_index', { dtype: 'int64', index: true })
    this.#cueIndex = group.column('cue_index', { dtype: 'int64', index: true })
    // What readers need to cut by time: the peer's cue_index counts events, not pulses
    this.#cuePulse = group.column('cue_pulse_index', { dtype: 'int64', index: true })
    this.#cueTime = group.column('cue_timestamp_zero', { dtype: 'int64', index: true, attributes: timeAttributes })
    this.#adc = config.adc_pulse_debug ? new AdcColumns(group, chunk) : null
    this.#isis = config.isis_data ? new IsisColumns(group) : null
  }

  /** Everything is checked before the first append, so that all datasets keep their lengths. */
  write(record: EventRecord): void {
    const { referenceTime, timeOfFlight, pixelId, weight } = record
    const n = timeOfFlight.length
    const pulses = this.#fillIndices(record, n)
    if (pixelId.length !== n && pixelId.length !== 0)
      throw new BadMessage('length_mismatch', `${pixelId.length} pixel ids for ${n} events`)
    if (weight !== undefined && weight.length !== n && weight.length !== 0)
      throw new BadMessage('length_mismatch', `${weight.length} weights for ${n} events`)
    const facility = this.#adc?.check(record, n)
    checkRange(timeOfFlight, this.#module.integer)
    checkRange(pixelId, this.#idType)
    this.#offset.append(timeOfFlight.bytes)
    this.#id.append(pixelId.length === n ? pixelId.bytes : this.#fillIds(n))
    this.#weight?.append(this.#weights(weight, n))
    this.#adc?.append(facility ?? null, n)
    this.#isis?.append(record, pulses)
    this.#zero.append(referenceTime.bytes)
    this.#index.append(this.#indices.subarray(0, 8 * pulses))
    this.#events += n
    if (this.#events - this.#lastCue >= this.#config.cue_interval && n > 0) this.#cue(record)
    this.#follow(record.messageId)
  }

  /** Mantid refuses a file that has a group without any pulse. */
  flush(): void {
    if (!this.#mantid || this.#zero.length > 0) return
    this.#zero.appendBigInt(this.#context.run?.startNs ?? 0n)
    this.#index.appendNumber(0)
    this.#isis?.appendNothing()
    this.#context.count('pulse_made', 1, 'note')
  }

  close(): void {
    if (this.#config.total_counts && this.#zero.length > 0)
      this.#group.dataset('total_counts', BigInt(this.#events), { dtype: 'uint64' })
  }

  /** event_index of each pulse into the scratch; returns the number of pulses. */
  #fillIndices({ referenceTime, referenceTimeIndex }: EventRecord, n: number): number {
    const pulses = referenceTime.length
    if (pulses === 0) throw new BadMessage('no_pulse', 'the message has no pulse time')
    if (referenceTimeIndex !== null && referenceTimeIndex.length !== pulses)
      throw new BadMessage('length_mismatch', `${referenceTimeIndex.length} pulse indices for ${pulses} pulses`)
    if (referenceTimeIndex === null && pulses !== 1)
      throw new BadMessage('length_mismatch', `${pulses} pulses without indices`)
    if (this.#indices.length < 8 * pulses) this.#indices = Buffer.alloc(16 * pulses)
    let last = 0
    for (let i = 0; i < pulses; i++) {
      const first = referenceTimeIndex === null ? 0 : readInt32(referenceTimeIndex.bytes, 4 * i)
      // A negative index means: no events
      const at = first < 0 ? last : first
      if (at < last || at > n) throw new BadMessage('pulse_index', `pulse index ${first} of ${n} events`)
      last = at
      const index = this.#events + at
      this.#indices.writeUInt32LE(index % 2 ** 32, 8 * i)
      this.#indices.writeUInt32LE(Math.floor(index / 2 ** 32), 8 * i + 4)
    }
    return pulses
  }

  #fillIds(n: number): Buffer {
    this.#context.count('pixel_id_filled', n)
    if (this.#filler.length < 4 * n) {
      this.#filler = Buffer.alloc(8 * n)
      for (let i = 0; i < 2 * n; i++) this.#filler.writeInt32LE(this.#config.pixel_id | 0, 4 * i)
    }
    return this.#filler.subarray(0, 4 * n)
  }

  /** Of messages without weights: 1. */
  #weights(weight: Vector | undefined, n: number): Uint8Array {
    if (weight?.length === n && !this.#mantid) return weight.bytes
    const weights = this.#mantid ? new Float32Array(n) : new Int16Array(n)
    if (weight?.length !== n) weights.fill(1)
    else for (let i = 0; i < n; i++) weights[i] = Number(element(weight, i))
    return new Uint8Array(weights.buffer)
  }

  #cue({ referenceTime, timeOfFlight }: EventRecord): void {
    this.#lastCue = this.#events
    const { bytes } = referenceTime
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const pulse = view.getBigInt64(bytes.length - 8, true)
    this.#cueIndex.appendNumber(this.#events - 1)
    this.#cuePulse.appendNumber(this.#zero.length - 1)
    this.#cueTime.appendBigInt(pulse + BigInt(readInt32(timeOfFlight.bytes, timeOfFlight.bytes.length - 4)))
  }

  /** Running numbers tell of messages that were lost before they came here. */
  #follow(id: bigint): void {
    const lastId = this.#lastId
    if (lastId !== null && lastId > 0n && id > lastId + 1n)
      this.#context.count('message_ids_missing', Number(id - lastId - 1n))
    this.#lastId = id
  }
}

/** Only matters where the message's type is not that of the dataset: signed against unsigned. */
function checkRange(vector: Vector, integer: EventModule['integer']): void {
  if (vector.dtype === integer) return
  for (let i = 3; i < vector.bytes.length; i += 4)
    if ((vector.bytes[i] ?? 0) > 127) throw new BadMessage('out_of_range', `a value does not fit into ${integer}`)
}

const readInt32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
