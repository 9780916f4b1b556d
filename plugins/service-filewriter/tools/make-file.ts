// `nexstream make-file`: a whole NeXus file from a structure and recorded messages, without Kafka.
import { dirname } from 'node:path'
import { CodedError, exitCodes, type ToolFlags, type ToolContext } from '../../../core/api/plugin.js'
import { makeFile as make } from '../structure/make-file.js'
import { readMessages } from '../structure/messages.js'
import { sayReport } from '../structure/report.js'
import { readTemplate } from '../structure/template.js'

const text = (value: ToolFlags[string]): string | undefined => (typeof value === 'string' ? value : undefined)

/** Exit code 5 when something that belongs into the file is not in it. */
export default async function makeFile(
  [structure = '', messages]: readonly (string | undefined)[],
  flags: ToolFlags,
  context: ToolContext
): Promise<number> {
  const { parts } = context
  const file = text(flags['output']) ?? ''
  const lines = messages === undefined ? '' : await context.readText(messages)
  const folder = messages === undefined || messages === '-' ? process.cwd() : dirname(messages)
  const { template, compression, start, stop } = flags
  const ns = (moment: string): bigint => BigInt(context.moment(moment)) * 1_000_000n
  const report = await make({
    structure: await context.readText(structure),
    file,
    messages: readMessages(lines, folder, parts),
    parts,
    lenient: flags['lenient'] === true,
    ...(typeof template === 'string' && { template: await readTemplate(template) }),
    ...(typeof compression === 'string' && { compression: parseCompression(compression) }),
    ...(typeof start === 'string' && { startNs: ns(start) }),
    ...(typeof stop === 'string' && { stopNs: ns(stop) })
  })
  for (const finding of report.findings) context.sayFinding(finding)
  if (flags['json'] === true) await context.printJson({ file, ...report })
  else context.say(`${file}: ${sayReport(report)}`)
  return report.lost ? exitCodes.findings : exitCodes.done
}

/** `gzip`, `zstd`, `gzip:6`. */
export function parseCompression(given: string): { filter: 'gzip' | 'zstd'; level?: number } {
  const [filter, level] = given.split(':')
  const number = Number(level ?? 1)
  const most = filter === 'gzip' ? 9 : 22
  if ((filter !== 'gzip' && filter !== 'zstd') || !Number.isInteger(number) || number < 1 || number > most)
    throw new CodedError('CLI_USAGE', `'${given}' is no compression; write gzip, zstd or gzip:6`)
  return { filter, ...(level !== undefined && { level: number }) }
}
