// Entry of the thread that finds events in traces: dat2 to dev2.
import { BadMessage, type ThreadContext } from '../../../core/api/plugin.js'
import { type MuonEvents, type MuonTraces, numbersIn, type Vector } from '../../../schemas/index.js'
import { serve } from '../../service-adara/flow-kit.js'
import { constantFraction, fixedThreshold, type FoundMuon } from '../discriminate.js'
import { type EventOptions } from '../options.js'
import { MuonFlow } from './flow.js'
import { type OpenMuons } from './protocol.js'

/** Digitisers may be so far apart. */
const BACK_MS = 5000
const NS_PER_S = 1e9
const MOST_TIME = 0xffffffff
const MOST_HEIGHT = 0xffff

export default function main(context: ThreadContext): void {
  serve(context, ({ options }: OpenMuons<EventOptions>) => {
    const flow = eventsFlow(context, options)
    flow.begin()
    return flow
  })
}

function eventsFlow(context: ThreadContext, options: EventOptions): MuonFlow<MuonEvents> {
  const finder = finderOf(options)
  const done = new Set<string>()
  const keyOf = (digitiser: number, { timestampNs, frameNumber }: MuonEvents['frame']): string => `${digitiser} ${timestampNs} ${frameNumber}` // prettier-ignore
  let events = 0
  const flow: MuonFlow<MuonEvents> = new MuonFlow<MuonEvents>(context, options, {
    reads: 'dat2',
    writes: 'dev2',
    backMs: BACK_MS,
    sentBefore: ({ digitisers, frame }) => void done.add(keyOf(digitisers[0] ?? 0, frame)),
    take: (record: MuonTraces) => {
      if (done.delete(keyOf(record.digitiser, record.frame))) return
      const found = eventsIn(record, finder)
      events += found.time.length
      flow.send(found, String(record.digitiser))
    },
    progress: () => ({ frames: 0, incomplete: 0, waiting: 0, eventsIn: events, events, losses: {} })
  })
  return flow
}

type Finder = (samples: Uint16Array, found: FoundMuon) => void

function finderOf({
  method,
  polarity,
  baseline,
  threshold,
  duration,
  cool_off: coolOff,
  fraction,
  delay
}: EventOptions): Finder {
  // prettier-ignore
  const shape = { negative: polarity === 'negative', baseline, threshold, coolOff }
  return method === 'constant_fraction'
    ? (samples, found) => constantFraction(samples, { ...shape, fraction, delay }, found)
    : (samples, found) => fixedThreshold(samples, { ...shape, duration }, found)
}

/** Throws BadMessage for a rate that is none. */
export function eventsIn({ digitiser, frame, sampleRate, traces }: MuonTraces, finder: Finder): MuonEvents {
  if (sampleRate === 0n) throw new BadMessage('sample_rate', 'the traces have no sample rate')
  const nsPerSample = NS_PER_S / Number(sampleRate)
  const [time, voltage, channel]: [number[], number[], number[]] = [[], [], []]
  for (const trace of traces)
    finder(numbersIn(trace.voltage) as Uint16Array, (sample, height) => {
      time.push(Math.min(MOST_TIME, Math.round(sample * nsPerSample)))
      voltage.push(Math.min(MOST_HEIGHT, height))
      channel.push(trace.channel)
    })
  return {
    frame,
    time: vector('uint32', Uint32Array.from(time)),
    voltage: vector('uint16', Uint16Array.from(voltage)),
    channel: vector('uint32', Uint32Array.from(channel)),
    digitisers: Uint8Array.of(digitiser),
    complete: null
  }
}

const vector = (dtype: Vector['dtype'], { buffer, length }: Uint32Array | Uint16Array): Vector => ({ dtype, length, bytes: new Uint8Array(buffer) }) // prettier-ignore
