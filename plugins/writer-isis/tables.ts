// Tables of the DAE that the config of a run brings: its detectors and where they are, as the old raw header names them, and by spectrum.
import { CodedError, type JSONSchema, type Options } from '../../core/api/plugin.js'
import { type Group, type RunInfo } from '../service-filewriter/writer-kit.js'

const numberList = { type: 'array', items: { type: 'number' } } as const

export const detectorsConfig = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'spectrum'],
  properties: {
    id: { type: 'array', items: { type: 'integer', minimum: 0, maximum: 2_147_483_647 }, description: 'Detector ids.' },
    spectrum: {
      type: 'array',
      items: { type: 'integer', minimum: 0, maximum: 2_147_483_647 },
      description: 'Spectrum that each belongs to; 0: none.'
    },
    distance: { ...numberList, description: 'm from the sample.' },
    polar_angle: { ...numberList, description: 'Scattering angle, degrees.' },
    delay: { ...numberList, description: 'Delay of the electronics, µs.' }
  },
  description:
    'Tables of detectors and spectra, for `isis_vms_compat` and `detector_N`; without, those of the start command.'
} as const satisfies JSONSchema

export type DetectorTables = Options<typeof detectorsConfig>

/** Name in the old header, and in the group of the detector. */
const places = {
  distance: { old: 'LEN2', name: 'distance', units: 'metre' },
  polar_angle: { old: 'TTHE', name: 'polar_angle', units: 'degree' },
  delay: { old: 'DELT', name: 'delt', units: 'microsecond' }
} as const
const keys = Object.keys(places) as (keyof typeof places)[]

/** Throws STRUCTURE_INVALID for lists of different lengths. */
export function checkTables({ id, ...others }: DetectorTables): void {
  for (const [key, list] of Object.entries(others))
    if (list.length !== id.length)
      throw new CodedError('STRUCTURE_INVALID', `${list.length} values for ${id.length} detectors`, { path: `/detectors/${key}` }) // prettier-ignore
}

/** Those of the config, else of the start command. */
export function writeTables(compat: Group, tables: DetectorTables | undefined, run: RunInfo | undefined): void {
  const map = run?.detectorSpectrumMap ?? undefined
  const [detectors, spectra] = tables === undefined ? [map?.detectors, map?.spectra] : [tables.id, tables.spectrum]
  if (detectors === undefined || spectra === undefined) return
  compat.dataset('UDET', detectors, { dtype: 'int32' })
  compat.dataset('SPEC', spectra, { dtype: 'int32' })
  compat.dataset('NDET', [detectors.length], { dtype: 'int32' })
  compat.dataset('NSP1', [new Set([...spectra].filter((one) => one > 0)).size], { dtype: 'int32' })
  for (const key of keys) {
    const list = tables?.[key]
    if (list !== undefined) compat.dataset(places[key].old, list, { dtype: 'float32' })
  }
}

/** For spectra from 1 on: what is told of the first detector of each, NaN for one without. */
export function writeSpectra(group: Group, tables: DetectorTables, spectra: number): void {
  const first = new Map<number, number>()
  for (const [i, one] of tables.spectrum.entries()) if (!first.has(one)) first.set(one, i)
  for (const key of keys) {
    const list = tables[key]
    if (list === undefined) continue
    const { name, units } = places[key]
    const values = Float32Array.from({ length: spectra }, (_, i) => list[first.get(i + 1) ?? -1] ?? NaN)
    group.dataset(name, values, { dtype: 'float32', shape: [spectra], attributes: { units } })
  }
}
