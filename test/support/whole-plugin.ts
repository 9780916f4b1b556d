// The sample plugin with one of everything, in a folder of its own with a config that loads it, and somebody who talks to its daemon.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { Control } from './control.js'
import { kafka, testTopics } from './kafka.js'

interface Wanted {
  /** Module of the plugin, as `use` names it. */
  readonly use: string
  /** TOML before the tables that all have in common. */
  readonly daemon?: string
  /** TOML: further services. */
  readonly services?: string
  /** TOML: lines of `[reporters]`, and tables of theirs. */
  readonly reporters?: string
}

export class WholePlugin {
  readonly folder = mkdtempSync(join(tmpdir(), 'nexstream-plugin-'))
  readonly config = join(this.folder, 'nexstream.toml')

  private constructor(
    readonly topics: Readonly<Record<'commands' | 'words' | 'status' | 'answers' | 'data', string>>,
    readonly control: Control
  ) {}

  static async open({ use, daemon = '', services = '', reporters = '' }: Wanted): Promise<WholePlugin> {
    const { brokers } = await kafka()
    const topics = await testTopics(['commands', 'words', 'status', 'answers', 'data'])
    const control = await Control.open(brokers, topics.commands, [topics.status, topics.answers, topics.data])
    const plugin = new WholePlugin(topics, control)
    cpSync(join(packageRoot, 'test/samples/whole-plugin'), join(plugin.folder, 'plugin'), { recursive: true })
    writeFileSync(
      plugin.config,
      `${daemon}
[kafka]
brokers = ${JSON.stringify(brokers)}
[commands]
topic = "${topics.commands}"
[[commands.listen]]
topic = "${topics.words}"
dialects = ["lamp"]
reply_topic = "${topics.answers}"
[status]
topic = "${topics.status}"
interval = "200ms"
[services.lamp]
${services}
[services.filewriter]
folder = ${JSON.stringify(plugin.folder)}
late_data_ms = 200
[reporters]
json = true
lamp-report = true
${reporters}
[[plugins]]
use = "${use}"
`
    )
    return plugin
  }

  async close(): Promise<void> {
    await this.control.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
