// What the field's program made of given packets (test/samples/event-formation), and what ours makes of them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { check } from '../../core/check.js'
import { loadPlugins } from '../../core/loader.js'
import { lookupOf } from '../../core/lookup.js'
import { type PartLookup } from '../../core/api/plugin.js'
import { packageRoot } from '../../core/root.js'
import { decodeJson } from '../../schemas/index.js'
import { type DetectorFiles, Formation } from '../../plugins/service-event-formation/form/formation.js'
import { type FormedMessage } from '../../plugins/service-event-formation/form/message.js'
import { type GeneratedPacket, generatePackets, type GeneratorOptions } from '../../plugins/service-event-formation/generate/packets.js' // prettier-ignore
import { type ReadoutPart } from '../../plugins/service-event-formation/readout-kit.js'

/** Recorded cases whose families can be generated. */
export const generatedCases = [
  'cbm',
  'cbm-beer',
  'caen-loki',
  'caen-bifrost',
  'caen-tbl3he',
  'caen-miracles',
  'caen-cspec',
  'cdt-dream',
  'cdt-magic',
  'vmm-freia',
  'vmm-freia-calibrated',
  'vmm-freia-split',
  'vmm-estia',
  'vmm-tblmb-amor',
  'vmm-nmx',
  'vmm-trex',
  'timepix3'
]

export interface EventMessage {
  readonly schema: 'ev44'
  readonly source: string
  readonly id: number
  readonly times: readonly string[]
  readonly tof: readonly number[]
  readonly pixel: readonly number[]
}
interface ArrayMessage {
  readonly schema: 'da00'
  readonly source: string
  readonly time: string
  readonly variables: readonly {
    readonly name: string
    readonly unit: string
    readonly axes: readonly string[]
    readonly dtype: string
    readonly shape: readonly number[]
    readonly values: readonly number[]
  }[]
}
export type Formed = EventMessage | ArrayMessage

export interface RecordedCase {
  readonly family: string
  readonly config: Readonly<Record<string, unknown>>
  readonly calibration?: unknown
  readonly calibrationRule?: {
    readonly instrument: string
    readonly groups: number
    readonly groupsize: number
    readonly everyGroup: { readonly intervals: readonly (readonly number[])[] }
  }
  /** Of each packet the ms that pass before it, when they matter: event formation sends what it holds meanwhile. */
  readonly waits?: readonly number[]
  readonly raw?: { readonly every: number; readonly consecutive: number }
  readonly packets: readonly string[]
  /** Of each packet the counters that rose by it. */
  readonly rises?: readonly Readonly<Record<string, number>>[]
  readonly messages: readonly Formed[]
  readonly copies?: readonly { readonly id: number; readonly data: string }[]
  readonly counters: Readonly<Record<string, number>>
}

export function recordedCase(name: string): RecordedCase {
  const file = join(packageRoot, 'test/samples/event-formation', `${name}.json`)
  return JSON.parse(readFileSync(file, 'utf8')) as RecordedCase
}

const builtin = [
  'readout-cbm',
  'readout-caen',
  'readout-cdt',
  'readout-vmm',
  'readout-timepix3',
  'readout-adc',
  'readout-udp',
  'readout-isis'
]
let parts: Promise<PartLookup> | undefined

/** All families that are built in. */
export function families(): Promise<PartLookup> {
  return (parts ??= loadPlugins({ plugins: [], builtin, baseFolder: packageRoot, checked: true }).then(({ host }) => lookupOf(host))) // prettier-ignore
}

function calibrationOf({ calibration, calibrationRule: rule }: RecordedCase): unknown {
  if (rule === undefined) return calibration
  const { instrument, groups, groupsize, everyGroup } = rule
  const polynomials = everyGroup.intervals.map(() => [0, 0, 0, 0])
  const Parameters = Array.from({ length: groups }, (_, groupindex) => {
    return { groupindex, intervals: everyGroup.intervals, polynomials }
  })
  return { Calibration: { version: 0, date: '2026-01-01', info: '', instrument, groups, groupsize, Parameters } }
}

/** With the defaults filled in. */
export function filesOfCase(recorded: RecordedCase, part: ReadoutPart): DetectorFiles {
  const config = structuredClone(recorded.config)
  const findings = check(part.config, config)
  if (findings.length > 0) throw new Error(JSON.stringify(findings))
  return { config, calibration: calibrationOf(recorded) }
}

export interface Running {
  readonly formation: Formation
  readonly messages: FormedMessage[]
  /** Gives it packets, 4 ms apart and with the waits of the case. */
  readonly feed: (packets: readonly Uint8Array[]) => void
}

/** Event formation with the files of a case. */
export async function formationOf(recorded: RecordedCase, compatible: boolean): Promise<Running> {
  const part = (await families()).readout(recorded.family) as ReadoutPart
  const messages: FormedMessage[] = []
  let nowMs = 0
  const raw = recorded.raw ?? { every: 0, consecutive: 0 }
  const formation = new Formation(
    part,
    filesOfCase(recorded, part),
    {
      name: recorded.family,
      compatible,
      schema: 'ev44',
      rawEvery: raw.every,
      rawConsecutive: raw.consecutive,
      nowMs: () => nowMs
    },
    (message) => messages.push({ ...message, value: Buffer.from(message.value) })
  )
  const feed = (packets: readonly Uint8Array[]): void => {
    for (const [i, packet] of packets.entries()) {
      const waitMs = recorded.waits?.[i] ?? 0
      nowMs += 4 + waitMs
      if (waitMs > 0) formation.flush()
      formation.packet(packet)
    }
    if (recorded.waits !== undefined) formation.flush()
  }
  return { formation, messages, feed }
}

const numbers = (value: unknown): number[] => (value as (number | string)[]).map(Number)

/** A message in the form of those that were recorded. */
export function readFormed({ value }: FormedMessage): Formed {
  const { file_identifier: schema, message } = decodeJson(value)
  const source = message['source_name'] as string
  if (schema === 'ev44')
    return {
      schema,
      source,
      id: Number(message['message_id']),
      times: (message['reference_time'] as (number | string)[]).map(String),
      tof: numbers(message['time_of_flight']),
      pixel: numbers(message['pixel_id'])
    }
  const variables = (message['data'] as Record<string, unknown>[]).map((one) => {
    const dtype = String((one['data_type'] as { name: string }).name)
    const bytes = Uint8Array.from(numbers(one['data'])).buffer
    const values = dtype === 'int32' ? [...new Int32Array(bytes)] : [...new BigUint64Array(bytes)].map(Number)
    return {
      name: String(one['name']),
      unit: String(one['unit']),
      axes: one['axes'] as string[],
      dtype,
      shape: numbers(one['shape']),
      values
    }
  })
  return { schema: 'da00', source, time: message['timestamp'] as string, variables }
}

/** Counters that a reader of the family may rely on: those of sending, receiving and serialising are ours. */
export function familyCounters(counters: Readonly<Record<string, number>>): Record<string, number> {
  const own =
    /^(receive|serialize|produce)\.|missing_packets$|late_packets$|below_threshold$|span\.time_[xy]_too_large$/
  return Object.fromEntries(
    Object.entries(counters)
      .filter(([name]) => !own.test(name))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
  )
}

/** Packets of the generator of a family, with the files of a case. */
export async function generatedPackets(recorded: RecordedCase, options: GeneratorOptions): Promise<GeneratedPacket[]> {
  const part = (await families()).readout(recorded.family) as ReadoutPart
  const { config, calibration } = filesOfCase(recorded, part)
  if (part.generate === undefined) throw new Error(`${recorded.family} makes no readouts`)
  return [...generatePackets(part, part.generate(config, calibration), options)]
}
