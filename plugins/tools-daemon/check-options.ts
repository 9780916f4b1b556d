// What the loaded plugins add to `nexstream check`.
import { type FileKind, type ToolOption } from '../../core/api/plugin.js'

/** Options that the kinds of files of the loaded services have, and which kinds there are. */
export const optionsFor = (files: readonly FileKind[]): readonly ToolOption[] => [
  { flags: '--as <kind>', summary: `${kindsOf(files).join(', ')}; default: told by the content` },
  ...files.flatMap(({ options }) => options ?? [])
]

/** What a file can be. */
export const kindsOf = (files: readonly FileKind[]): string[] => ['config', 'command', ...files.map(({ id }) => id)]
