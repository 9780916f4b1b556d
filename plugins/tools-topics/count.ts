// `nexstream count`: how many messages a topic holds, or how many arrive each second.
import { setTimeout as delay } from 'node:timers/promises'
import { type ToolRun } from '../../core/api/plugin.js'
import { moment } from '../tools-daemon/tool-kit.js'
import { needTopic, partitionsOf, watermarks } from './scan.js'

/** Counts offsets, so that even the largest topic is counted at once (compacted topics hold fewer). */
const count: ToolRun = async ([address], given, { connect, print, printJson, say }) => {
  const flags = given as { time?: string; to?: string; follow?: boolean; json?: boolean }
  const target = connect(address)
  const { kafka } = target
  const topic = needTopic(target)
  try {
    const partitions = await partitionsOf(kafka, topic)
    const marks = await watermarks(kafka, topic, partitions)
    const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0)
    const at = async (text: string): Promise<number> =>
      sum((await kafka.offsets(topic, partitions, { timestampMs: moment(text) })).values())
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
