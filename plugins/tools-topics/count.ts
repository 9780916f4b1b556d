// `nexstream count`: how many messages a topic or a recording holds, or how many arrive each second.
import { setTimeout as delay } from 'node:timers/promises'
import { type ToolContext, type ToolFlags, type ToolRun } from '../../core/api/plugin.js'
import { moment } from '../tools-daemon/tool-kit.js'
import { isRecording } from '../tools-recording/recording-kit.js'
import { scanFrom } from './origin.js'
import { needTopic, partitionsOf, watermarks } from './scan.js'
import { spanOf } from './tail.js'

/** Counts offsets, so that even the largest topic is counted at once (compacted topics hold fewer). */
const count: ToolRun = async ([address], given, context) => {
  const { connect, print, printJson, say } = context
  const flags = given as { time?: string; to?: string; follow?: boolean; json?: boolean }
  if (isRecording(address)) return countRecording(address, given, context)
  const target = connect(address)
  const { kafka } = target
  try {
    const topic = await needTopic(target)
    const partitions = await partitionsOf(kafka, topic)
    const marks = await watermarks(kafka, topic, partitions)
    const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0)
    const at = async (text: string): Promise<number> =>
      sum((await kafka.offsets(topic, partitions, { timestampMs: moment(text, say) })).values())
    const from = flags.time === undefined ? sum([...marks.values()].map(({ low }) => low)) : await at(flags.time)
    const to = flags.to === undefined ? sum([...marks.values()].map(({ high }) => high)) : await at(flags.to)
    const messages = Math.max(0, to - from)
    await (flags.json === true ? printJson({ topic, messages }) : print(String(messages)))
    if (flags.follow !== true) return
    say('messages a second; Ctrl-C ends')
    for (let last = to, lastMs = performance.now(); ;) {
      await delay(1000)
      const now = sum((await kafka.offsets(topic, partitions, 'latest')).values())
      const nowMs = performance.now()
      const rate = ((now - last) * 1000) / (nowMs - lastMs)
      await (flags.json === true
        ? printJson({ topic, messages: now - from, rate_hz: rate })
        : print(`${now - from}  ${rate.toFixed(1)}/s`))
      ;[last, lastMs] = [now, nowMs]
    }
  } finally {
    await kafka.close()
  }
}

export default count

/** One by one: its index holds no counts by time. */
async function countRecording(file: string, flags: ToolFlags, context: ToolContext): Promise<void> {
  const counts = new Map<string, number>()
  const message = ({ topic }: { readonly topic: string }): unknown => counts.set(topic, (counts.get(topic) ?? 0) + 1)
  await scanFrom(file, spanOf(flags, context), { message }, context)
  if (flags['json'] === true) for (const [topic, messages] of counts) await context.printJson({ topic, messages })
  else await context.print(String([...counts.values()].reduce((sum, n) => sum + n, 0)))
}
