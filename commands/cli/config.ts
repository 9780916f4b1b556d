// The config and the plugins of a sub-command.
import { type LoadedConfig, requireConfig } from '../../core/config.js'
import { CodedError } from '../../core/api/errors.js'

export interface ConfigFlags {
  readonly config?: string
  readonly set?: readonly string[]
}

/** `--set section.key=value` as the config loader wants it. */
export function flagValues(pairs: readonly string[] = []): Record<string, string> {
  const values = pairs.map((pair): [string, string] => {
    const at = pair.indexOf('=')
    if (at < 1) throw new CodedError('CLI_USAGE', `'--set ${pair}': write --set section.key=value`)
    return [pair.slice(0, at), pair.slice(at + 1)]
  })
  return Object.fromEntries(values)
}

export const configFileOf = (flags: ConfigFlags): string | undefined =>
  flags.config ?? (process.env['NEXSTREAM_CONFIG'] || undefined)

/** The merged config of `--config` (or $NEXSTREAM_CONFIG), environment and `--set`. */
export function configOf(flags: ConfigFlags): LoadedConfig {
  return requireConfig({ file: configFileOf(flags), env: process.env, flags: flagValues(flags.set) })
}
