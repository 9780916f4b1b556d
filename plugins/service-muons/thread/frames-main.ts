// Entry of the thread that puts the events of digitisers together: dev2 to aev2.
import { type ThreadContext } from '../../../core/api/plugin.js'
import { type MuonEvents } from '../../../schemas/index.js'
import { serve } from '../../service-adara/flow-kit.js'
import { MuonCollector } from '../collect.js'
import { type FrameOptions } from '../options.js'
import { MuonFlow } from './flow.js'
import { type OpenMuons } from './protocol.js'

/** Of the output before its end, beside the time that a frame waits. */
const BACK_MS = 5000

export default function main(context: ThreadContext): void {
  serve(context, ({ options }: OpenMuons<FrameOptions>) => {
    const flow = framesFlow(context, options)
    flow.begin()
    return flow
  })
}

function framesFlow(context: ThreadContext, options: FrameOptions): MuonFlow<MuonEvents> {
  const collector: MuonCollector = new MuonCollector({
    digitisers: options.digitisers,
    waitMs: options.wait_ms,
    mostFrames: options.max_waiting_frames,
    // One key: all in one partition, in their order
    take: (frame) => flow.send(frame, 'frames')
  })
  const flow: MuonFlow<MuonEvents> = new MuonFlow<MuonEvents>(context, options, {
    reads: 'dev2',
    writes: 'aev2',
    backMs: options.wait_ms + BACK_MS,
    sentBefore: ({ frame }) => collector.hasGone(frame),
    take: (record: MuonEvents, nowMs) => collector.add(record, nowMs),
    tick: (nowMs) => collector.tick(nowMs),
    progress: () => {
      const { frames, incomplete, waiting, eventsIn, eventsOut: events, late, repeated, otherDigitiser } = collector
      const losses = { events_late: late, events_repeated: repeated, events_other_digitiser: otherDigitiser }
      return { frames, incomplete, waiting, eventsIn, events, losses }
    }
  })
  return flow
}
