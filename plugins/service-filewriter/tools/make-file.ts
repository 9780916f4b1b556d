// `nexstream make-file`: a whole NeXus file from a structure and messages of a recording or of JSON lines, without Kafka.
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { CodedError, exitCodes, plainNumbers, type ToolFlags, type ToolContext } from '../../../core/api/plugin.js'
import { type Compression, isFilter, isLevel } from '../file/levels.js'
import { type Flavour, flavours, isFlavour } from '../structure/flavour.js'
import { makeFile as make } from '../structure/make-file.js'
import { splitFiles } from '../structure/more-files.js'
import { messagesIn, type TopicMessage } from '../structure/messages.js'
import { readJson } from '../../../schemas/index.js'
import { sayReport } from '../structure/report.js'
import { isObject } from '../structure/findings.js'
import { readTemplate } from '../structure/template.js'
import { timeNs } from '../times.js'
import { meter, moment, type Way } from '../../tools-daemon/tool-kit.js'
import { isRecording, readRecording } from '../../tools-recording/recording-kit.js'

const text = (value: ToolFlags[string]): string | undefined => (typeof value === 'string' ? value : undefined)

/** Exit code 5 when something that belongs into the file is not in it. */
export default async function makeFile(
  [structure = '', messages]: readonly (string | undefined)[],
  flags: ToolFlags,
  context: ToolContext
): Promise<number> {
  const { parts } = context
  const file = text(flags['output']) ?? ''
  const { template, compression } = flags
  if (isRecording(structure)) throw new CodedError('CLI_USAGE', `${structure} is a recording; the structure comes first: make-file STRUCTURE ${structure}`) // prettier-ignore
  const given = commandOf(await context.readText(structure))
  const flavour = flags['flavour'] === undefined ? given.flavour : flavourOf(flags['flavour'])
  const momentNs = (flag: ToolFlags[string], path: '/start_time' | '/stop_time'): bigint | undefined =>
    typeof flag === 'string' ? BigInt(moment(flag, context.say)) * 1_000_000n : timeNs(given[path], path)
  const [startNs, stopNs] = [momentNs(flags['start'], '/start_time'), momentNs(flags['stop'], '/stop_time')]
  if (splitFiles(given.structure, file).files.length > 0)
    context.say('warning: more_files of the structure are left out; write jobs make them')
  const report = await make({
    structure: given.structure,
    name: structure,
    file,
    messages: messages === undefined ? [] : messagesOf(messages, context),
    parts,
    lenient: flags['lenient'] === true,
    ...(typeof template === 'string' && { template: await readTemplate(template) }),
    ...(flavour !== undefined && { flavour }),
    ...(typeof compression === 'string' && { compression: parseCompression(compression) }),
    ...(startNs !== undefined && { startNs }),
    ...(stopNs !== undefined && { stopNs }),
    log: (level, message) => context.say(`${level}: ${message}`)
  })
  for (const finding of report.findings) context.sayFinding(finding)
  if (flags['json'] === true) await context.printJson({ file, ...report })
  else context.say(`${file}: ${sayReport(report)}`)
  return report.lost ? exitCodes.findings : exitCodes.done
}

function flavourOf(flag: ToolFlags[string]): Flavour {
  if (isFlavour(flag)) return flag
  throw new CodedError('CLI_USAGE', `--flavour ${String(flag)}: must be one of ${flavours.join(', ')}`)
}

interface Given {
  readonly structure: unknown
  readonly '/start_time'?: number | string
  readonly '/stop_time'?: number | string
  readonly flavour?: Flavour
}

/** A structure alone, or in a start command, whose window it then brings. */
function commandOf(text: string): Given {
  let json: unknown
  try {
    json = readJson(text)
  } catch {
    return { structure: text } // What is wrong in it is told with the structure
  }
  if (!isObject(json) || !Object.hasOwn(json, 'nexus_structure')) return { structure: text }
  const time = (key: string): number | string | undefined => {
    const value = plainNumbers(json[key])
    return typeof value === 'number' || typeof value === 'string' ? value : undefined
  }
  const [start, stop, flavour] = [time('start_time'), time('stop_time'), json['flavour']]
  const times = {
    ...(start !== undefined && { '/start_time': start }),
    ...(stop !== undefined && { '/stop_time': stop }),
    ...(isFlavour(flavour) && { flavour })
  }
  return { structure: json['nexus_structure'], ...times }
}

/** Of a recording, or of JSON lines; tells how far it is. Throws CodedError FILE_READ. */
async function* messagesOf(file: string, context: ToolContext): AsyncGenerator<TopicMessage> {
  const { parts, say, progress } = context
  try {
    if (!isRecording(file)) {
      const origin = { folder: file === '-' ? process.cwd() : dirname(file), name: file }
      yield* messagesIn(linesOf(file, meter(context, 'bytes')), origin, parts)
      return
    }
    const show = meter(context, 'messages')
    let [done, bytes] = [0, 0]
    for await (const { topic, partition, value } of readRecording(file, say)) {
      done++
      bytes += value?.length ?? 0
      show(() => ({ done, bytes }))
      if (value !== null) yield { topic, partition, value }
    }
  } finally {
    progress('')
  }
}

/** Throws CodedError FILE_READ. */
async function* linesOf(file: string, show: (way: () => Way) => void): AsyncGenerator<string> {
  let done = 0
  const counted = async function* (lines: AsyncIterable<string>, total?: number): AsyncGenerator<string> {
    for await (const line of lines) {
      done += line.length + 1
      show(() => ({ done, total }))
      yield line
    }
  }
  if (file === '-') {
    yield* counted(createInterface({ input: process.stdin, crlfDelay: Infinity }))
    return
  }
  let handle: FileHandle
  try {
    handle = await open(file)
  } catch (cause) {
    throw new CodedError('FILE_READ', `${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
  yield* counted(handle.readLines(), (await handle.stat()).size)
}

/** `gzip`, `zstd`, `lz4`, `bitshuffle`, `gzip:6`, `zstd:1:shuffle`. */
export function parseCompression(given: string): Compression {
  const words = given.split(':')
  const shuffle = words.length > 1 && words.at(-1) === 'shuffle' && words.pop() !== undefined
  const [filter, digits, ...more] = words
  const level = digits === undefined ? undefined : Number(digits)
  if (!isFilter(filter) || !isLevel(filter, level) || more.length > 0)
    throw new CodedError(
      'CLI_USAGE',
      `'${given}' is no compression; write gzip, zstd, lz4, bitshuffle, gzip:6 or zstd:1:shuffle`
    )
  return { filter, shuffle, ...(level !== undefined && { level }) }
}
