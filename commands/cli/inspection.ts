// What is wrong with a config or a command, for the tool that checks files: by the code that the daemon itself runs.
import { resolve } from 'node:path'
import {
  type Command,
  type Finding,
  findingOf,
  type Inspection,
  type ServicePart,
  type ToolFlags
} from '../../core/api/plugin.js'
import { check } from '../../core/check.js'
import { commandsIn } from '../../core/command-file.js'
import { loadCommands, loadDialects, type RunnableCommand, understand } from '../../core/commands.js'
import { type LoadedConfig, loadConfig, printConfig } from '../../core/config.js'
import { configSchema } from '../../core/config-schema.js'
import { type Host } from '../../core/host.js'
import { configured, listenFindings, listensOf } from '../../core/inspect.js'
import { kafkaSettings } from '../../core/kafka/options.js'
import { type Loaded, loadConfigured } from '../../core/loader.js'
import { lookupOf } from '../../core/lookup.js'
import { type ConfigFlags, flagValues } from './config.js'
import { say } from './io.js'

/** By the plugins of `host`; `flags` are those of the tool. */
export async function inspectionOf(host: Host, flags: ConfigFlags): Promise<Inspection> {
  const commands = await loadCommands(host)
  const dialects = [...(await loadDialects(host)).values()]
  return {
    files: host.ids('service').flatMap((id) => host.part('service', id)?.files ?? []),
    sections: Object.keys(configSchema.properties),
    commands,
    dialects,
    commandsIn: (content) => commandsIn(content, dialects),
    command: (value) => commandFindings(value, commands, host, flags as ToolFlags),
    config: async (file, startUp) => {
      const config = loadConfig({ file, env: process.env, flags: flagValues(flags.set) })
      return { text: printConfig(config), findings: await configFindings(config, startUp) }
    },
    checkedFor: () => {
      if (flags.config === undefined) return { dialects: [], services: {} }
      const { commands, services } = loadConfig({ file: flags.config, env: {}, flags: {} }).config
      return { dialects: commands.listen.flatMap(({ dialects }) => dialects), services }
    }
  }
}

/** All findings: the schema's, the plugins', the options' of services and reporters, the start-up commands'. */
async function configFindings(
  given: LoadedConfig,
  startUp: Parameters<Inspection['config']>[1]
): Promise<readonly Finding[]> {
  if (given.findings.length > 0) return given.findings
  let loaded: Loaded
  try {
    loaded = await loadConfigured(given)
  } catch (error) {
    return [findingOf(error)]
  }
  try {
    const { host } = loaded
    const dialects = await loadDialects(host)
    const { status, commands } = given.config
    return [
      ...kafkaFindings(given),
      ...listensOf(given.config).flatMap((listen) => listenFindings(listen, status.topic, dialects)),
      ...(await serviceFindings(given, host)),
      ...configured('reporter', given.config, host).flatMap(({ findings }) => findings),
      ...(commands.file === undefined
        ? []
        : await startUp(resolve(given.baseFolder, commands.file), await inspectionOf(host, {})))
    ]
  } finally {
    await loaded.close()
  }
}

/** Brokers may come later (`--brokers`, a variable), everything else must be right. */
function kafkaFindings({ config }: LoadedConfig): Finding[] {
  const named =
    'brokers' in config.kafka || 'bootstrap.servers' in config.kafka || 'metadata.broker.list' in config.kafka
  if (!named) say('no brokers are named; give them by NEXSTREAM_BROKERS or --brokers when it runs')
  try {
    kafkaSettings(named ? config.kafka : { ...config.kafka, brokers: ['localhost:9092'] })
    return []
  } catch (error) {
    return [findingOf(error)]
  }
}

async function serviceFindings({ config }: LoadedConfig, host: Host): Promise<Finding[]> {
  const found: Finding[] = []
  for (const { part, options, at, findings } of configured('service', config, host)) {
    found.push(...findings)
    if (part === undefined || findings.length > 0) continue
    for (const finding of await inspected(part, options, host)) found.push({ ...finding, path: at + finding.path })
  }
  return found
}

/** What the service itself says of its options, or of a command for it. */
async function inspected(
  part: ServicePart,
  options: unknown,
  host: Host,
  { command, flags = {} }: { readonly command?: Command; readonly flags?: ToolFlags } = {}
): Promise<readonly Finding[]> {
  return (await part.inspect?.(options as never, command, lookupOf(host), flags)) ?? []
}

/** As the daemon would find it with all services, then as the service does, with the defaults of its options. */
async function commandFindings(
  value: unknown,
  commands: readonly RunnableCommand[],
  host: Host,
  flags: ToolFlags
): Promise<readonly Finding[]> {
  const command: unknown = structuredClone(value)
  const { found, findings } = understand(command, commands, () => true)
  const part = found?.service === undefined ? undefined : host.part('service', found.service)
  const options: Record<string, unknown> = {}
  if (findings.length > 0 || part === undefined || check(part.config, options).length > 0) return findings
  return inspected(part, options, host, { command: command as Command, flags })
}
