// Sub-commands about files: written without Kafka, shown, repaired; and structures for `nexstream check`.
import {
  type BinaryFileKind,
  type CheckedFor,
  CodedError,
  defineTool,
  type FileKind,
  type ToolFlags
} from '../../../core/api/plugin.js'
import { readJson } from '../../../schemas/index.js'
import { leniencyOf } from '../structure/leniency.js'
import { inspectFile } from '../readers/index.js'
import { checkStructure } from '../structure/structure.js'
import { readTemplate, type Template } from '../structure/template.js'

export const tools = [
  defineTool({
    id: 'show',
    summary: 'summary of a NeXus file: groups, datasets, events, values',
    arguments: [{ name: 'file', summary: 'NeXus (HDF5) file' }],
    options: [{ flags: '--tree', summary: 'every group and dataset, with types, shapes and attributes' }],
    load: async () => (await import('./show.js')).default
  }),
  defineTool({
    id: 'diff',
    summary: 'what differs between two NeXus (HDF5) files: objects, types, shapes, values, attributes, links',
    arguments: [
      { name: 'first', summary: 'NeXus (HDF5) file' },
      { name: 'second', summary: 'the other' }
    ],
    options: [
      {
        flags: '--ignore <list>',
        summary: 'paths, with what is below them, and attributes anywhere: /entry/nexstream_report,@file_time'
      }
    ],
    helpBelow: '\n- only in the first, + only in the second, ≠ in both and not the same. Exit code 5 when they differ.',
    load: async () => (await import('./diff.js')).default
  }),
  defineTool({
    id: 'gaps',
    summary: 'what a NeXus file lacks of what Kafka holds of its streams: how much, from when to when',
    usesKafka: true,
    arguments: [
      { name: 'file', summary: 'NeXus file of the file writer' },
      {
        name: 'command',
        optional: true,
        summary: 'its start command, for a file that has no report yet (NAME.part), or none at all'
      }
    ],
    options: [
      {
        flags: '--from <moment>',
        summary: 'in place of the start time: ISO 8601, 10:30, yesterday (UTC without a zone), ms, now, -5min'
      },
      { flags: '--to <moment>', summary: 'in place of the stop time' }
    ],
    helpBelow:
      '\nExit code 5 when something is missing. Of modules other than f142, f144, ev42, ev43 and ev44 only messages are counted.',
    load: async () => (await import('./gaps.js')).default
  }),
  defineTool({
    id: 'repair',
    summary: 'bring a file that a crash left behind into a readable state',
    arguments: [{ name: 'file', summary: 'unfinished NeXus file' }],
    load: async () => (await import('./repair.js')).default
  }),
  defineTool({
    id: 'make-file',
    summary: 'write a NeXus file from a structure and messages, without Kafka',
    arguments: [
      { name: 'structure', summary: 'JSON file with the nexus_structure, or a start command (with its window)' },
      {
        name: 'messages',
        optional: true,
        summary:
          'a recording (NAME.mcap), or JSON lines, - is standard input: {"topic", "value": base64} (as `tail --raw` prints), {"topic", "file"} or {"topic", "schema", "record"}'
      }
    ],
    options: [
      { flags: '-o, --output <file>', summary: 'file to write', required: true },
      {
        flags: '--start <moment>',
        summary: 'begin of the time window: ISO 8601, 10:30, yesterday (UTC without a zone), ms, now, -5min'
      },
      { flags: '--stop <moment>', summary: 'end of the time window' },
      { flags: '--lenient', summary: 'write what is good in the structure and list the rest' },
      { flags: '--template <file>', summary: 'JSON or HDF5 file that the structure is laid over' },
      { flags: '--flavour <name>', summary: 'mantid: beside the usual layout what Mantid looks for' },
      {
        flags: '--compression <filter>',
        summary:
          'of growing datasets: gzip, zstd, lz4 or bitshuffle, with a level and with shuffle as in gzip:6 or zstd:1:shuffle'
      }
    ],
    load: async () => (await import('./make-file.js')).default
  })
]

const isWrapped = (content: unknown): content is { nexus_structure: unknown } =>
  typeof content === 'object' && content !== null && 'nexus_structure' in content

/** The structure in a command, with all digits of its numbers. Throws FILE_READ. */
function wrapped(text: string): unknown {
  try {
    return (readJson(text) as { nexus_structure: unknown }).nexus_structure
  } catch (cause) {
    throw new CodedError('FILE_READ', `no valid JSON: ${(cause as Error).message}`, { cause })
  }
}

export async function templateOf({ template }: ToolFlags): Promise<{ template?: Template }> {
  return typeof template === 'string' ? { template: await readTemplate(template) } : {}
}

/** As the file writer of this config would take a structure: from its peers' commands, where it hears them. */
function leniency({ lenient, strict }: ToolFlags, { dialects, services }: CheckedFor): boolean {
  if (lenient === true || strict === true) return strict !== true
  const options = services['filewriter']
  const option = typeof options === 'object' ? (options as { lenient?: boolean } | null)?.lenient : undefined
  return dialects.some((dialect) => leniencyOf(option, undefined, dialect) !== 'strict')
}

export const structureFile: FileKind = {
  id: 'structure',
  summary: 'a nexus_structure',
  options: [
    { flags: '--template <file>', summary: 'JSON or HDF5 file that structures are laid over' },
    { flags: '--lenient', summary: 'take structures as the peers do: what is good is written, the rest are warnings' },
    {
      flags: '--strict',
      summary: 'take them as our own commands do; default: lenient where the config listens to a peer'
    }
  ],
  is: (content) => isWrapped(content) || (typeof content === 'object' && content !== null && 'children' in content),
  async inspect({ content, text }, parts, flags, config) {
    const [structure, at] = isWrapped(content) ? [wrapped(text), '/nexus_structure'] : [text, '']
    const { findings, leftOut } = checkStructure(structure, parts, { at, ...(await templateOf(flags)) })
    if (!leniency(flags, config)) return findings
    const isLost = (path: string): boolean => leftOut.some((one) => path === one.at || path.startsWith(`${one.at}/`))
    return findings.map((finding) => ({ ...finding, ...(!isLost(finding.path) && { warning: true }) }))
  }
}

export const nexusFile: BinaryFileKind = {
  id: 'nexus',
  summary: 'a NeXus file',
  options: [
    {
      flags: '--for <reader>',
      summary:
        'whether this reader finds all in a NeXus file, rule by rule: mantid, scippnexus or nxvalidate; several with ,'
    }
  ],
  begins: (bytes) => bytes.subarray(0, 8).toString('latin1') === '\x89HDF\r\n\x1a\n',
  inspectFile
}
