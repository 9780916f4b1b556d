// Run information as the field's `mdat` module and ISIS need it: times, run name, instrument, periods, spectrum map.
import { API, CodedError, definePlugin, type JSONSchema, type Options } from '../../core/api/plugin.js'
import {
  defineWriter,
  type Group,
  type RunInfo,
  type Writer,
  type WriterContext
} from '../service-filewriter/writer-kit.js'

const known = [
  'start_time',
  'end_time',
  'run_name',
  'instrument_name',
  'file_name',
  'periods',
  'detector_spectrum_map'
] as const

const config = {
  type: 'object',
  additionalProperties: false,
  properties: {
    items: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { enum: known },
      default: ['start_time', 'end_time'],
      description:
        'What to write: start_time, end_time, run_name, instrument_name, file_name, periods, detector_spectrum_map.'
    },
    name: { type: 'string', description: 'Older word: only this one of the items, if it is one of them.' }
  }
} as const satisfies JSONSchema

const iso = (ns: bigint): string => new Date(Number(ns / 1_000_000n)).toISOString()

type Config = Options<typeof config>
type Item = Config['items'][number]

const itemsOf = ({ items, name }: Config): readonly Item[] => {
  const one = known.filter((item) => item === name)
  return one.length > 0 ? one : items
}

class RunWriter implements Writer {
  readonly #group: Group
  readonly #items: readonly Item[]
  readonly #run: RunInfo | undefined

  constructor(group: Group, items: readonly Item[], run: RunInfo | undefined) {
    this.#group = group
    this.#items = items
    this.#run = run

    if (run === undefined) return
    for (const item of items) this.#begin(item, run)
  }

  write(): void {
    throw new CodedError('INTERNAL', 'run information comes from the command, not from messages')
  }

  /** The stop time is known only now; a run without one ended when its file did. */
  close(): void {
    if (!this.#items.includes('end_time')) return
    const end = this.#run?.stopNs ?? BigInt(Date.now()) * 1_000_000n
    this.#group.dataset('end_time', iso(end), { dtype: 'string' })
  }

  #begin(item: string, run: RunInfo): void {
    const group = this.#group
    if (item === 'start_time') group.dataset(item, iso(run.startNs), { dtype: 'string' })
    if (item === 'run_name') group.dataset(item, run.runName, { dtype: 'string' })
    if (item === 'instrument_name') group.dataset(item, run.instrumentName, { dtype: 'string' })
    if (item === 'file_name') group.dataset(item, run.fileName, { dtype: 'string' })
    if (item === 'periods') group.dataset('number_of_periods', run.periods ?? 1, { dtype: 'int32' })
    if (item === 'detector_spectrum_map' && run.detectorSpectrumMap !== null) {
      const { spectra, detectors } = run.detectorSpectrumMap
      const map = group.group('detector_spectrum_map', { NX_class: 'NXcollection' })
      map.dataset('spectrum', spectra, { dtype: 'int32' })
      map.dataset('detector_id', detectors, { dtype: 'int32' })
    }
  }
}

const mdat = defineWriter({
  id: 'mdat',
  summary: 'Run information: start and end time, run name, instrument, periods, detector-spectrum map.',
  accepts: [],
  nxClass: 'NXcollection',
  keepsLast: false,
  config,
  madeAtClose: (config) => itemsOf(config).filter((item) => item === 'end_time'),
  open: (group: Group, config, context: WriterContext) => new RunWriter(group, itemsOf(config), context.run)
})

export default definePlugin({
  name: 'writer-mdat',
  version: '1.0.0',
  api: API,
  summary: 'Writes run information (mdat).',
  apply(registry) {
    registry.writer(mdat)
  }
})
