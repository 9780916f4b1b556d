// What ISIS sends beside values and events: pulses (pu00), units (un00), the detector-spectrum map (df12).
import { API, type Context, definePlugin, type JSONSchema, type Options } from '../../core/api/plugin.js'
import { timeAttributes, type Column, defineWriter, type Group, type Writer } from '../service-filewriter/writer-kit.js'
import { BlockAlarmWriter, blockConfig, BlockWriter, setpointConfig, SetpointWriter } from './block.js'
import { pulseConfig, PulseWriter } from './pulses.js'
import { IsisRunWriter, madeByRun, runConfig } from './run.js'
import { vetoes } from './vetoes.js'
import { type DetectorSpectrumMap, type UnitsRecord } from '../../schemas/index.js'

const unitsConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    set_units: {
      type: 'boolean',
      default: true,
      description: 'Set the last unit as attribute `units` of `value` and its summary values in the same group.'
    }
  }
} as const satisfies JSONSchema

const UNIT_BYTES = 64
const measured = ['value', 'minimum_value', 'maximum_value', 'average_value']

class UnitsWriter implements Writer<UnitsRecord> {
  readonly #text: Column
  readonly #time: Column
  #last: { readonly timestampNs: bigint; readonly units: string } | null = null

  readonly #group: Group
  readonly #config: Options<typeof unitsConfig>
  readonly #context: Context

  constructor(group: Group, config: Options<typeof unitsConfig>, context: Context) {
    this.#group = group
    this.#config = config
    this.#context = context

    this.#text = group.column('units_text', { dtype: { string: UNIT_BYTES } })
    this.#time = group.column('units_text_time', { dtype: 'uint64', index: true, attributes: timeAttributes })
  }

  write({ units: found, timestampNs }: UnitsRecord): void {
    const units = found ?? ''
    this.#text.appendString(units)
    this.#time.appendBigInt(timestampNs)
    if (this.#last !== null && this.#last.units !== units) this.#context.count('units_changed')
    if (timestampNs >= (this.#last?.timestampNs ?? 0n)) this.#last = { timestampNs, units }
  }

  close(): void {
    const last = this.#last,
      group = this.#group
    if (last === null || !this.#config.set_units) return
    for (const name of measured)
      if (group.has(name)) group.datasetAttribute(name, 'units', last.units.slice(0, 1024).replaceAll('\0', ''))
  }
}

class MapWriter implements Writer<DetectorSpectrumMap> {
  #map: DetectorSpectrumMap | null = null

  readonly #group: Group

  constructor(group: Group) {
    this.#group = group
  }

  write(map: DetectorSpectrumMap): void {
    this.#map = map
  }

  close(): void {
    if (this.#map === null) return
    const { spectra, detectors, spectrumCount } = this.#map
    this.#group.dataset('spectrum', spectra, { dtype: 'int32', shape: [spectra.length] })
    this.#group.dataset('detector_id', detectors, { dtype: 'int32', shape: [detectors.length] })
    this.#group.dataset('number_of_spectra', spectrumCount, { dtype: 'int32' })
  }
}

const pu00 = defineWriter({
  id: 'pu00',
  summary:
    'Pulses of pu00 messages: logs of period, proton charge and vetoes; frames, charge and counts in sum and per period.',
  accepts: ['pu00', 'ev44'],
  config: pulseConfig,
  nxClass: 'NXcollection',
  keepsLast: false,
  madeAtClose: () => [
    'raw_frames', 'good_frames', 'proton_charge', 'proton_charge_raw', 'total_counts', 'total_counts_raw', 'periods'
  ], // prettier-ignore
  mantid: {
    config: (config) => ({ ...config, flavour: 'mantid' as const }),
    logs: () => [
      { name: 'proton_charge', link: 'proton_charge_log' },
      { name: 'period_log', link: 'period_log' },
      { name: 'veto_log', link: 'veto_log' }
    ]
  },
  open: (group, config, context) => new PulseWriter(group, config, context)
})

const un00 = defineWriter({
  id: 'un00',
  summary:
    'Units of un00 messages: units_text, units_text_time, and the attribute `units` of the values in the same group.',
  accepts: ['un00'],
  config: unitsConfig,
  nxClass: 'NXlog',
  keepsLast: true,
  open: (group, config, context) => new UnitsWriter(group, config, context)
})

const df12 = defineWriter({
  id: 'df12',
  summary: 'The detector-spectrum map of a df12 message: spectrum, detector_id, number_of_spectra.',
  accepts: ['df12'],
  config: { type: 'object', additionalProperties: false, properties: {} },
  nxClass: 'NXcollection',
  keepsLast: true,
  madeAtClose: () => ['spectrum', 'detector_id', 'number_of_spectra'],
  open: (group) => new MapWriter(group)
})

const isisRun = defineWriter({
  id: 'isis_run',
  summary:
    "A run as ISIS' own files have it, in the entry: events by frame, framelog, runlog, periods, good and raw frames and charge, from pu00 with ev44 or from ev42 with is84.",
  accepts: ['pu00', 'ev44', 'ev42'],
  config: runConfig,
  nxClass: 'NXentry',
  keepsLast: false,
  madeAtClose: madeByRun,
  open: (group, config, context) => new IsisRunWriter(group, config, context)
})

const block = defineWriter({
  id: 'IXseblock',
  summary: 'A block of the sample environment (f142, f144) as in files of ISIS, with its last value per period.',
  accepts: ['f144', 'f142'],
  config: blockConfig,
  companions: () => ['IXseblock_alarm'],
  nxClass: 'IXseblock',
  keepsLast: true,
  madeAtClose: ({ dtype }) => (dtype === 'string' ? ['value'] : ['value', 'value_spread']),
  open: (group, config, context) => new BlockWriter(group, config, context)
})

const blockSetpoint = defineWriter({
  id: 'IXseblock_setpoint',
  summary: 'What the IXseblock of the same group was set to (f142, f144): the last setpoint of each period.',
  accepts: ['f144', 'f142'],
  config: setpointConfig,
  nxClass: 'IXseblock',
  keepsLast: true,
  madeAtClose: ({ dtype }) => (dtype === 'string' ? ['setpoint'] : ['setpoint', 'setpoint_spread']),
  open: (group, config, context) => new SetpointWriter(group, config, context)
})

const blockAlarm = defineWriter({
  id: 'IXseblock_alarm',
  summary: 'Alarms (al00) of the IXseblock in the same group, which brings this module along.',
  accepts: ['al00'],
  config: { type: 'object', additionalProperties: false, properties: {} },
  nxClass: 'IXseblock',
  keepsLast: true,
  open: (group, _config, context) => new BlockAlarmWriter(group, context)
})

export default definePlugin({
  name: 'writer-isis',
  version: '1.0.0',
  api: API,
  summary: 'Writes runs and blocks as files of ISIS have them, and its pulses (pu00), units (un00) and maps (df12).',
  apply(registry) {
    registry.writer(isisRun)
    registry.writer(block)
    registry.writer(blockAlarm)
    registry.writer(blockSetpoint)
    registry.writer(pu00)
    registry.writer(un00)
    registry.writer(vetoes)
    registry.writer(df12)
  }
})
