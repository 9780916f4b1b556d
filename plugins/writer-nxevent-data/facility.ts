// Facility parts of ev42: pulse shapes per event (dtdb) and ISIS data per pulse (is84).
import { BadMessage } from '../../core/api/plugin.js'
import { type EventRecord, type Vector } from '../../schemas/index.js'
import { timeAttributes, type Column, type Group } from '../service-filewriter/writer-kit.js'

type Facility = NonNullable<EventRecord['facility']>
type Adc = Extract<Facility, { type: 'adc' }>

const fields = ['amplitude', 'peakArea', 'background', 'thresholdTime', 'peakTime'] as const
const names = {
  amplitude: 'adc_pulse_amplitude',
  peakArea: 'adc_pulse_peak_area',
  background: 'adc_pulse_background',
  thresholdTime: 'adc_pulse_threshold_time',
  peakTime: 'adc_pulse_peak_time'
} as const

/** One value per event; zeros for events of messages without them. */
export class AdcColumns {
  readonly #columns: readonly Column[]

  constructor(group: Group, chunk: number) {
    this.#columns = fields.map((field) => {
      const time = field.endsWith('Time')
      return group.column(names[field], {
        dtype: time ? 'uint64' : 'uint32',
        chunk,
        bulk: true,
        attributes: time ? timeAttributes : {}
      })
    })
  }

  /** Throws BadMessage when a vector is neither absent nor one value per event. */
  check({ facility }: EventRecord, n: number): Adc | null {
    if (facility?.type !== 'adc') return null
    for (const field of fields) {
      const { length } = facility[field]
      if (length !== n && length !== 0) throw new BadMessage('length_mismatch', `${length} ${field} for ${n} events`)
    }
    return facility
  }

  append(adc: Adc | null, n: number): void {
    for (const [i, column] of this.#columns.entries()) {
      const vector: Vector | undefined = adc?.[fields[i] ?? 'amplitude']
      const size = i < 3 ? 4 : 8
      column.append(vector?.length === n ? vector.bytes : new Uint8Array(size * n))
    }
  }
}

/** One value per pulse, as event_time_zero; NaN charge and period 0 where the message has none. */
export class IsisColumns {
  readonly #period: Column
  readonly #running: Column
  readonly #charge: Column

  constructor(group: Group) {
    this.#period = group.column('period_number', { dtype: 'uint32' })
    this.#running = group.column('run_state', { dtype: { string: 8 } })
    this.#charge = group.column('proton_charge', { dtype: 'float32', attributes: { units: 'uAh' } })
  }

  append({ facility }: EventRecord, pulses: number): void {
    const isis = facility?.type === 'isis' ? facility : null
    for (let i = 0; i < pulses; i++) {
      this.#period.appendNumber(isis?.periodNumber ?? 0)
      this.#running.appendString(isis?.runState ?? '')
      this.#charge.appendNumber(isis?.protonCharge ?? NaN)
    }
  }

  /** For a pulse that no message brought. */
  appendNothing(): void {
    this.#period.appendNumber(0)
    this.#running.appendString('')
    this.#charge.appendNumber(NaN)
  }
}
