// The integration test of the whole system: raw readouts and EPICS values at one end, a file and an image at the other, counted at each place.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeJson } from '../../schemas/index.js'
import { readNexus } from '../support/nexus.js'
import { Checks, type Outcome } from './checks.js'
import { patternIn } from './pattern.js'
import { type CountImage, type RunReport } from './report.js'
import { World } from './world.js'

/** MIRACLES, whose picture is that of its tubes, and a monitor that counts neutrons. */
const image = { width: 48, height: 128 } as const
const detectorFile = { Detector: 'miracles', Resolution: 128 }
const monitorFile = { Detector: 'CBM', MaxFENId: 0, Topology: [{ FEN: 0, Channel: 0, Type: 'EVENT_0D', Source: 'monitor', Schema: 'ev44', PixelOffset: 1 }] } // prettier-ignore
const PULSE_RATE = 14
const PACKETS = 10
const READOUTS = 100
const pvs = ['TEMP', 'FIELD', 'MOTOR'] as const
/** A share of 0.1 is background; the rest is in the picture or beside it by roundings. */
const LEAST_INSIDE = 0.9
const LEAST_FILLED = 0.9

export interface ChainOptions {
  readonly brokers: readonly string[]
  /** Where files and the report go. */
  readonly folder: string
  readonly seconds: number
  readonly told: (outcome: Outcome) => void
}

interface Sent {
  readonly packets: number
  readonly readouts: number
}
interface Formed {
  readonly job_id: string
  readonly packets: number
  readonly events: number
  readonly delivered_events: number
  readonly losses: Readonly<Record<string, number>>
}
interface Measured {
  readonly sent: Readonly<Record<'detector' | 'monitor', Sent>>
  readonly formed: Readonly<Record<'detector' | 'monitor', Formed>>
  readonly puts: number
  readonly image: CountImage
  readonly content: Readonly<Record<string, unknown>>
}

const group = (name: string, nxClass: string, children: readonly unknown[]): unknown => ({ type: 'group', name, attributes: { NX_class: nxClass }, children }) // prettier-ignore

function structureOf(world: World): unknown {
  const events = (name: string, topic: string, source: string): unknown =>
    group(name, 'NXevent_data', [{ module: 'ev44', config: { topic, source } }])
  const log = (pv: string): unknown =>
    group(pv, 'NXlog', [{ module: 'f144', config: { topic: world.topic('sample_env'), source: world.pv(pv), dtype: 'double' } }]) // prettier-ignore
  return {
    children: [
      group('entry', 'NXentry', [
        { module: 'dataset', config: { name: 'title', values: 'integration', dtype: 'string' } },
        events('detector', world.topic('detector'), 'caen'),
        events('monitor', world.topic('monitor'), 'monitor'),
        ...pvs.map(log)
      ])
    ]
  }
}

/** All that happens; what it throws is a failure of the run itself. */
async function measure(world: World, seconds: number): Promise<Measured> {
  const streams = pvs.map((pv) => ({ channel: world.pv(pv), converter: 'f144', topic: world.topic('sample_env'), lossless: true })) // prettier-ignore
  await world.tell({ cmd: 'start', service: 'forwarder', streams })
  await world.tell({ cmd: 'start', service: 'filewriter', job_id: 'file', file_name: 'integration.nxs', nexus_structure: structureOf(world) }) // prettier-ignore
  const counted = { id: 'image', kind: 'image', data_topic: world.topic('detector'), source: 'caen', topic: world.topic('histograms'), first_pixel: 1, ...image } // prettier-ignore
  await world.tell({ cmd: 'start', service: 'histogram', job_id: 'image', histograms: [counted] })

  const pulses = Math.max(1, Math.round(seconds * PULSE_RATE))
  const generate = async (family: string, index: number, config: string): Promise<Sent> => {
    const sizes = ['--pulses', String(pulses), '--packets', String(PACKETS), '--readouts', String(READOUTS), '--rate', String(PULSE_RATE)] // prettier-ignore
    const file = join(world.folder, config)
    return (await world.run(['generate-readouts', family, `127.0.0.1:${world.opened.ports[index]}`, '--config-file', file, ...sizes])) as unknown as Sent // prettier-ignore
  }
  const puts = Math.max(10, Math.round(seconds * 10))
  const [detector, monitor] = await Promise.all([
    generate('miracles', 0, 'miracles.json'),
    generate('cbm', 1, 'monitor.json'),
    world.opened.ioc.ramp(pvs.map((pv) => world.pv(pv)), puts, 10) // prettier-ignore
  ])

  const { result } = await world.tell({ cmd: 'stop', service: 'event_formation', all: true })
  const all = (result as { detectors: Formed[] }).detectors
  const formed = (id: string): Formed =>
    all.find(({ job_id: name }) => name === id) ?? assert.fail(`no report of ${id}`)
  await world.tell({ cmd: 'stop', service: 'histogram', job_id: 'image' })
  await world.ended('image')
  await world.tell({ cmd: 'stop', service: 'filewriter', job_id: 'file' })
  const file = await world.ended('file')
  assert.equal(file['state'], 'done', `the file: ${JSON.stringify(file)}`)
  const paths = [...['detector', 'monitor'].flatMap((name) => ['event_id', 'event_time_offset', 'event_time_zero'].map((field) => `entry/${name}/${field}`)), ...pvs.map((pv) => `entry/${pv}/value`)] // prettier-ignore
  return {
    sent: { detector, monitor },
    formed: { detector: formed('detector'), monitor: formed('monitor') },
    puts,
    image: { ...image, counts: await lastImage(world) },
    content: await readNexus(join(world.folder, 'integration.nxs'), paths)
  }
}

/** Of the messages of the histogram the last. */
async function lastImage({ opened }: World): Promise<readonly number[]> {
  const said = await opened.control.wait(
    ({ value, id }) => id === 'hs01' && value.includes('FINISHED'),
    'the last image'
  )
  const { message } = decodeJson(said.value)
  return (message['data'] as { value: { value: (number | string)[] } }).value.value.map(Number)
}

const list = (content: Measured['content'], path: string): readonly number[] => content[path] as number[]

async function compare(checks: Checks, { sent, formed, puts, image: counted, content }: Measured): Promise<void> {
  for (const part of ['detector', 'monitor'] as const) {
    const [from, to] = [sent[part], formed[part]]
    const path = `entry/${part}`
    await checks.check(`${part}: every packet that was sent was received`, () => {
      assert.equal(to.packets + (to.losses['kernel'] ?? 0), from.packets)
      assert.deepEqual(Object.values(to.losses).filter((n) => n > 0), [], `losses: ${JSON.stringify(to.losses)}`) // prettier-ignore
      return `${from.packets} packets, nothing lost`
    })
    await checks.check(`${part}: every readout is an event in Kafka`, () => {
      assert.equal(to.events, from.readouts)
      assert.equal(to.delivered_events, to.events)
      return `${to.events} events, all acknowledged`
    })
    await checks.check(`${part}: every event is in the file`, () => {
      assert.equal(list(content, `${path}/event_id`).length, to.events)
      assert.equal(list(content, `${path}/event_time_offset`).length, to.events)
      return `${to.events} events of ${list(content, `${path}/event_time_zero`).length} messages`
    })
  }
  await checks.check('the live image has the events of the file, pixel by pixel', () => {
    const inFile = Array.from({ length: image.width * image.height }, () => 0)
    for (const pixel of list(content, 'entry/detector/event_id')) inFile[pixel - 1]! += 1
    assert.deepEqual(counted.counts, inFile)
    return `${counted.counts.length} pixels`
  })
  await checks.check('the live image shows the test image', () => {
    const { inside, filled } = patternIn(counted)
    const text = `${(100 * inside).toFixed(1)} % of the events are in it, ${(100 * filled).toFixed(1)} % of it have events`
    assert.ok(inside > LEAST_INSIDE && filled > LEAST_FILLED, text)
    return text
  })
  for (const pv of pvs)
    await checks.check(`${pv}: every value that the IOC had is in the file, in order`, () => {
      const wanted = Array.from({ length: puts + 1 }, (_, i) => i)
      assert.deepEqual(list(content, `entry/${pv}/value`).flat(), wanted) // prettier-ignore
      return `${wanted.length} values`
    })
}

const figuresOf = ({ sent, formed, puts, content }: Measured): RunReport['figures'] => [
  ...(['detector', 'monitor'] as const).flatMap((part): RunReport['figures'] => [
    [`${part}: readouts that were generated`, String(sent[part].readouts)],
    [`${part}: packets received`, String(formed[part].packets)],
    [`${part}: events formed`, String(formed[part].events)],
    [`${part}: events acknowledged by Kafka`, String(formed[part].delivered_events)],
    [`${part}: events in the file`, String(list(content, `entry/${part}/event_id`).length)]
  ]),
  ['values put into each PV', String(puts)],
  ...pvs.map((pv): RunReport['figures'][number] => [`${pv}: values in the file`, String(list(content, `entry/${pv}/value`).length)]) // prettier-ignore
]

/** Never rejects: what goes wrong is in the report. */
export async function runChain({ brokers, folder, seconds, told }: ChainOptions): Promise<RunReport> {
  const started = new Date()
  const begin = performance.now()
  const checks = new Checks(told)
  const box: { world?: World; measured?: Measured } = {}
  await checks.check('Kafka, IOC and daemon come up', async () => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'miracles.json'), JSON.stringify(detectorFile))
    writeFileSync(join(folder, 'monitor.json'), JSON.stringify(monitorFile))
    box.world = await World.open(folder, brokers, (topic, ports) => `[services.event_formation.detectors.detector]
family = "miracles"
topic = "${topic('detector')}"
host = "127.0.0.1"
port = ${ports[0]}
config_file = "miracles.json"
[services.event_formation.detectors.monitor]
family = "cbm"
topic = "${topic('monitor')}"
host = "127.0.0.1"
port = ${ports[1]}
config_file = "monitor.json"`) // prettier-ignore
    return `Kafka at ${brokers.join(',')}`
  })
  const { world } = box
  if (world !== undefined) {
    await checks.check('readouts and values go the whole way', async () => {
      box.measured = await measure(world, seconds)
      return `${seconds} s`
    })
    if (box.measured !== undefined) await compare(checks, box.measured)
    await checks.check('the daemon ends in order', async () => {
      const code = await world.close()
      assert.equal(code, 0)
      return 'exit code 0'
    })
  }
  return {
    title: 'nexstream integration',
    started,
    seconds: (performance.now() - begin) / 1000,
    outcomes: checks.outcomes,
    figures: box.measured === undefined ? [] : figuresOf(box.measured),
    image: box.measured?.image
  }
}
