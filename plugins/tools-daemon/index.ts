// Plugin tools-daemon: sub-commands for the people of a daemon. They command it, check its files, tell how it is and what is loaded.
import { API, definePlugin, defineTool } from '../../core/api/plugin.js'
import { commandTopics, commandTopicsBeside, pairs } from './command-options.js'
import { optionsFor } from './check-options.js'
import { toolsOfServices } from './service-tools.js'

/** To any service, also to one that is not known here. */
const toAnyService = (['start', 'stop'] as const).map((cmd) =>
  defineTool({
    id: cmd,
    summary: `send '${cmd}' to a service; its keys: nexstream ${cmd} SERVICE --help`,
    usesKafka: true,
    arguments: [{ name: 'service', summary: 'which service of the daemon', optional: true }, pairs],
    options: commandTopics,
    needsPlugins: 'help',
    load: async () => (await import('./send.js')).commandTool(cmd)
  })
)

const tools = [
  defineTool({
    id: 'send',
    summary: 'send one command and print the answer',
    usesKafka: true,
    arguments: [{ name: 'file', summary: 'JSON file with the command; - is standard input' }],
    options: commandTopics,
    made: toolsOfServices,
    load: async () => (await import('./send.js')).send
  }),
  ...toAnyService,
  defineTool({
    id: 'forward',
    summary: 'forward PVs to a topic from now on: `start forwarder` in short',
    usesKafka: true,
    arguments: [{ name: 'pvs', summary: 'NAME, ca://NAME or pva://NAME; default that of the service', several: true }],
    options: [
      { flags: '--topic <topic>', summary: 'where their values go' },
      { flags: '--converter <id>', summary: 'schema of the messages', standard: 'f144' },
      { flags: '--lossless', summary: 'keep every update while Kafka is away' },
      { flags: '--stop', summary: 'forward them no longer; with --topic only to that one' },
      ...commandTopicsBeside
    ],
    load: async () => (await import('./short.js')).forward
  }),
  defineTool({
    id: 'write',
    summary: 'write a NeXus file from now on: `start filewriter` in short',
    usesKafka: true,
    arguments: [
      { name: 'structure', summary: 'JSON file with the nexus_structure, or with a start command that has one' }
    ],
    options: [
      { flags: '--name <file>', summary: 'name of the file below the output folder of the service', required: true },
      {
        flags: '--for <duration>',
        summary: 'end after so long, e.g. 10min; without --for and --to it runs until `stop`'
      },
      { flags: '--from <moment>', summary: 'begin of the time window, which may lie in the past; default now' },
      { flags: '--to <moment>', summary: 'its end' },
      { flags: '--job <id>', summary: 'name of the job; made up when left out' },
      { flags: '--wait', summary: 'until the file is there; exit code 1 when it failed' },
      ...commandTopicsBeside
    ],
    load: async () => (await import('./short.js')).write
  }),
  defineTool({
    id: 'health',
    summary: 'is the daemon ready for its work? Exit code 0: yes; 1: no, and why; 3: no answer',
    usesKafka: true,
    arguments: [
      { name: 'address', summary: 'host:port of its HTTP server; default: that of the config', optional: true }
    ],
    options: [
      { flags: '--live', summary: 'ask only whether it is alive: one that is not has to be restarted' },
      { flags: '--wait', summary: 'ask again until it is, or --timeout is over' },
      ...commandTopics
    ],
    helpBelow:
      'Asks the reporter prometheus of the config (/readyz, /healthz); without one it sends the command status over Kafka.',
    load: async () => (await import('./health.js')).default
  }),
  defineTool({
    id: 'logs',
    summary: 'what the daemon has logged: from `log.file` of the config, another file, or the journal of systemd',
    common: ['config'],
    arguments: [{ name: 'file', summary: 'log file; default that of the config, else the journal', optional: true }],
    options: [
      { flags: '-n, --last <n>', summary: 'the last n lines', standard: '20' },
      { flags: '-f, --follow', summary: 'go on with what comes' },
      {
        flags: '--from <moment>',
        summary: 'all since this moment: ISO 8601, 10:30, yesterday (UTC without a zone), ms, now, -5min'
      },
      { flags: '--level <level>', summary: 'only what is so severe or worse: error, warn, info, debug' },
      { flags: '--unit <name>', summary: 'its unit in the journal; default nexstream' }
    ],
    load: async () => (await import('./logs.js')).default
  }),
  defineTool({
    id: 'check',
    summary: 'find what is wrong with configs, commands and other files, by the plugins of the config',
    arguments: [{ name: 'files', summary: 'files to check; - is standard input', several: true }],
    options: [{ flags: '--print', summary: 'print the merged config, secrets hidden, with the origin of each value' }],
    needsPlugins: 'always',
    made: (_commands, files) => [defineTool({ id: 'check', summary: '', options: optionsFor(files) })],
    load: async () => (await import('./check.js')).default
  }),
  defineTool({
    id: 'plugins',
    summary: 'what is loaded and what it can do',
    tools: [
      defineTool({
        id: 'list',
        summary: 'list the plugins and what they bring',
        load: async () => (await import('./plugins.js')).list
      }),
      defineTool({
        id: 'docs',
        summary: 'options of parts',
        arguments: [{ name: 'id', summary: 'part id or plugin name', optional: true }],
        load: async () => (await import('./plugins.js')).docs
      })
    ]
  }),
  defineTool({
    id: 'completion',
    summary: 'print the completion script of a shell, e.g. `source <(nexstream completion bash)`',
    arguments: [{ name: 'shell', summary: 'bash, zsh or fish' }],
    common: ['config'],
    needsPlugins: 'always',
    load: async () => (await import('./completion.js')).default
  })
]

export default definePlugin({
  name: 'tools-daemon',
  version: '1.0.0',
  api: API,
  summary:
    'Commands a daemon (send, start, stop), checks its files (check), tells how it is (health, logs) and what is loaded (plugins, completion).',
  apply(registry) {
    for (const tool of tools) registry.tool(tool)
  }
})
