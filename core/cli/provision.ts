// `nexstream provision`: makes the topics of the config for an instrument; safe to repeat.
import { provision as provisionTopics } from '../kafka/admin.js'
import { configOf } from './config.js'
import { brokersOf, kafkaSection, type KafkaFlags } from './connect.js'
import { CodedError } from '../api/errors.js'
import { print, printJson, table } from './io.js'
import { wantedTopics } from './wanted-topics.js'

export interface ProvisionFlags extends KafkaFlags {
  readonly dryRun?: boolean
  readonly json?: boolean
}

export async function provision(instrument: string | undefined, flags: ProvisionFlags): Promise<void> {
  const { config } = configOf(flags)
  const name = instrument ?? config.daemon.instrument
  const wanted = wantedTopics(config, name)
  if (wanted.length === 0)
    throw new CodedError(
      'CLI_USAGE',
      "the config names no topics; give --config FILE with a '[[topics]]' table, or a command or status topic"
    )
  const brokers = brokersOf({ brokers: [], topic: undefined }, flags, config)
  const results = await provisionTopics(kafkaSection(config, brokers), wanted, { dryRun: flags.dryRun === true })
  if (flags.json === true) for (const result of results) await printJson(result)
  else
    await print(
      table([
        ['topic', 'action', 'changes'],
        ...results.map((r) => [r.name, flags.dryRun === true ? `would be ${r.action}` : r.action, r.changes.join(', ')])
      ])
    )
}
