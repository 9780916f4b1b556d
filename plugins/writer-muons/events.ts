// Muon events as NXevent_data: one pulse for each frame, with height, period, frame and vetoes.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'
import { element, type MuonEvents } from '../../schemas/index.js'
import { type Column, type Group, timeAttributes, type Writer } from '../service-filewriter/writer-kit.js'

export const muonConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    chunk_size: { type: 'integer', minimum: 1024, default: 262_144, description: 'Events per chunk.' },
    period_offset: {
      type: 'integer',
      minimum: 0,
      maximum: 1,
      default: 0,
      description: 'Added to period numbers: messages count from 0, as the files of the muon pipeline do.'
    }
  }
} as const satisfies JSONSchema

export class MuonWriter implements Writer<MuonEvents> {
  readonly #id: Column
  readonly #offset: Column
  readonly #height: Column
  readonly #zero: Column
  readonly #index: Column
  readonly #period: Column
  readonly #frame: Column
  readonly #complete: Column
  readonly #running: Column
  readonly #vetoes: Column
  #events = 0

  readonly #group: Group
  readonly #config: Options<typeof muonConfig>

  constructor(group: Group, options: Options<typeof muonConfig>) {
    this.#group = group
    this.#config = options
    const bulk = { chunk: options.chunk_size, bulk: true } as const
    const { units, start: offset } = timeAttributes
    this.#id = group.column('event_id', { dtype: 'uint32', ...bulk })
    this.#offset = group.column('event_time_offset', { dtype: 'uint32', ...bulk, attributes: { units: 'ns' } })
    this.#height = group.column('pulse_height', { dtype: 'float64', ...bulk })
    this.#zero = group.column('event_time_zero', { dtype: 'uint64', index: true, attributes: { units, offset } })
    this.#index = group.column('event_index', { dtype: 'uint64', index: true })
    this.#period = group.column('period_number', { dtype: 'uint64', index: true })
    this.#frame = group.column('frame_number', { dtype: 'uint32', index: true })
    this.#complete = group.column('frame_complete', { dtype: 'int8', index: true })
    this.#running = group.column('running', { dtype: 'int8', index: true })
    this.#vetoes = group.column('veto_flags', { dtype: 'uint16', index: true })
  }

  /** The vectors are of one length: the converter has seen to that. */
  write({ frame, time, voltage, channel, complete }: MuonEvents): void {
    this.#id.append(channel.bytes)
    this.#offset.append(time.bytes)
    const heights = Float64Array.from({ length: voltage.length }, (_, i) => Number(element(voltage, i)))
    this.#height.append(new Uint8Array(heights.buffer))
    this.#zero.appendBigInt(frame.timestampNs)
    this.#index.appendBigInt(BigInt(this.#events))
    this.#period.appendBigInt(BigInt.asUintN(64, frame.period + BigInt(this.#config.period_offset)))
    this.#frame.appendNumber(frame.frameNumber)
    // One digitiser alone is no whole frame
    this.#complete.appendNumber(complete === true ? 1 : 0)
    this.#running.appendNumber(frame.running ? 1 : 0)
    this.#vetoes.appendNumber(frame.vetoes)
    this.#events += time.length
  }

  close(): void {
    this.#group.dataset('total_counts', BigInt(this.#events), { dtype: 'uint64' })
  }
}
