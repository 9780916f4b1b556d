// What is wrong with a config beyond its schema: the same for the daemon that starts and for `nexstream check`.
import { check } from './check.js'
import { type DaemonConfig, type ListenConfig } from './config-schema.js'
import { type Finding } from './api/plugin.js'
import { type Host, type Parts } from './host.js'

const invalid = (path: string, message: string): Finding => ({ code: 'CONFIG_INVALID', path, message })

/** One topic to hear commands on, with its path in the config. */
export interface Listen {
  readonly at: string
  readonly listen: ListenConfig
}

/** Everything to listen to: `commands.topic` is short for one entry. */
export function listensOf({ commands: { topic, listen } }: DaemonConfig): Listen[] {
  const own: Listen[] = topic === undefined ? [] : [{ at: '/commands', listen: { topic, dialects: ['json'], from: 'latest' } }] // prettier-ignore
  return [...own, ...listen.map((entry, i) => ({ at: `/commands/listen/${i}`, listen: entry }))]
}

/** Every entry needs dialects that exist and a place for its answers. */
export function listenFindings(
  { at, listen }: Listen,
  statusTopic: string | undefined,
  dialects: ReadonlyMap<string, unknown>
): Finding[] {
  const findings: Finding[] = []
  if (listen.reply_topic === undefined && statusTopic === undefined)
    findings.push(
      invalid(`${at}/topic`, `answers to '${listen.topic}' have no topic: give status.topic or reply_topic`)
    )
  const known = [...dialects.keys()].toSorted().join(', ')
  for (const [i, id] of listen.dialects.entries())
    if (!dialects.has(id)) findings.push(invalid(`${at}/dialects/${i}`, `unknown dialect '${id}'; known are ${known}`))
  return findings
}

/** A service or reporter of the config, with the defaults of its options filled in. */
interface Configured<K extends 'service' | 'reporter'> {
  readonly id: string
  readonly at: string
  readonly options: unknown
  /** Undefined when no plugin brings it, which is a finding. */
  readonly part: Parts[K] | undefined
  readonly findings: readonly Finding[]
}

/** Reporters that are on unless the config says otherwise. */
const usual = ['json', 'x5f2']

/** What the config says of each reporter; a usual one that it does not name and that is not loaded (`has`) is left alone. */
export function wantedReporters(
  config: Readonly<Record<string, unknown>>,
  has: (id: string) => boolean
): [id: string, given: unknown][] {
  const silent = usual.filter((id) => !Object.hasOwn(config, id) && has(id))
  return [...silent.map((id): [string, unknown] => [id, {}]), ...Object.entries(config)]
}

/** All of a section that are not switched off. */
export function configured<K extends 'service' | 'reporter'>(
  kind: K,
  config: DaemonConfig,
  host: Host
): Configured<K>[] {
  const section = `${kind}s` as const
  const has = (id: string): boolean => host.part(kind, id) !== undefined
  const given = kind === 'reporter' ? wantedReporters(config.reporters, has) : Object.entries<unknown>(config[section])
  return given.flatMap(([id, given]) => {
    if (given === false) return []
    const at = `/${section}/${id}`
    const part = host.part(kind, id)
    const options: unknown = structuredClone(given === true ? {} : given)
    if (part !== undefined) return { id, at, options, part, findings: check(part.config, options, at) }
    const findings = [invalid(at, `no plugin brings '${id}'; known are ${host.ids(kind).join(', ')}`)]
    return { id, at, options, part, findings }
  })
}
