// `nexstream make-file`: a whole NeXus file from a structure and recorded messages, without Kafka.
import { dirname } from 'node:path'
import { makeFile as make } from '../structure/make-file.js'
import { readMessages } from '../structure/messages.js'
import { partsOf } from '../structure/parts.js'
import { sayReport } from '../structure/report.js'
import { readTemplate } from '../structure/template.js'
import { type ConfigFlags, configOf, loadParts } from '../../../core/cli/config.js'
import { readText } from '../../../core/cli/decode.js'
import { exitCodes } from '../../../core/cli/exit.js'
import { findingLine, printJson, say } from '../../../core/cli/io.js'
import { parseCompression, parseMoment } from '../../../core/cli/parse.js'

export interface MakeFileFlags extends ConfigFlags {
  readonly output: string
  readonly start?: string
  readonly stop?: string
  readonly lenient?: boolean
  readonly template?: string
  readonly compression?: string
  readonly json?: boolean
}

/** Exit code 5 when something that belongs into the file is not in it. */
export async function makeFile(structure: string, messages: string | undefined, flags: MakeFileFlags): Promise<number> {
  const loaded = await loadParts(configOf(flags))
  try {
    const parts = partsOf(loaded.host)
    const text = messages === undefined ? '' : await readText(messages)
    const folder = messages === undefined || messages === '-' ? process.cwd() : dirname(messages)
    const report = await make({
      structure: await readText(structure),
      file: flags.output,
      messages: readMessages(text, folder, parts),
      parts,
      lenient: flags.lenient === true,
      ...(flags.template !== undefined && { template: await readTemplate(flags.template) }),
      ...(flags.compression !== undefined && { compression: parseCompression(flags.compression) }),
      ...(flags.start !== undefined && { startNs: BigInt(parseMoment(flags.start)) * 1_000_000n }),
      ...(flags.stop !== undefined && { stopNs: BigInt(parseMoment(flags.stop)) * 1_000_000n })
    })
    for (const finding of report.findings) say(findingLine(finding))
    if (flags.json === true) await printJson({ file: flags.output, ...report })
    else say(`${flags.output}: ${sayReport(report)}`)
    return report.lost ? exitCodes.findings : exitCodes.done
  } finally {
    await loaded.close()
  }
}
