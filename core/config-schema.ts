// What the config may hold. Types, defaults, checks and docs/reference/config.md come from this one schema.
import { type FromSchema, type JSONSchema } from './api/plugin.js'

const topic = { type: 'string', pattern: '^[a-zA-Z0-9._-]{1,249}$' } as const
const duration = { type: ['string', 'integer'], pattern: '^[0-9]+(\\.[0-9]+)?(ms|s|m|min|h|d)$', minimum: 0 } as const

const listen = {
  type: 'object',
  additionalProperties: false,
  required: ['topic'],
  properties: {
    topic: { ...topic, description: 'Topic to read commands from.' },
    dialects: {
      type: 'array',
      items: { type: 'string' },
      minItems: 1,
      default: ['json'],
      description: 'Dialects understood on this topic, tried in this order.'
    },
    reply_topic: { ...topic, description: 'Where answers and events of these commands go; default `status.topic`.' },
    group: {
      type: 'string',
      minLength: 1,
      description:
        'Consumer group: of all daemons in it exactly one takes each command (a job pool). Without it every daemon hears every command.'
    },
    from: {
      enum: ['latest', 'earliest'],
      default: 'latest',
      description:
        'Where to begin at start-up; with a group only when the group is new. `earliest` carries out again what the topic holds, but no `exit` and no `stop` from before the start.'
    }
  }
} as const satisfies JSONSchema

export const configSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    daemon: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'The process.',
      properties: {
        service_id: {
          type: 'string',
          minLength: 1,
          description: 'Name of this daemon in status and answers; default `nexstream:HOST:PID`.'
        },
        instrument: {
          type: 'string',
          pattern: '^[A-Za-z0-9_-]+$',
          description: 'Instrument name; `nexstream provision` puts it in place of `{instrument}` in topic names.'
        },
        builtin_plugins: {
          type: 'array',
          items: { type: 'string' },
          description:
            'Built-in plugins to load; all when not given. The command line has the tools of `tools-…` plugins whatever stands here.'
        },
        start_timeout: {
          ...duration,
          default: '60s',
          description: 'Longest time for one service to start; then it is left out, and the others go on.'
        },
        shutdown_timeout: {
          ...duration,
          default: '30s',
          description: 'Longest time to finish jobs and flush after SIGINT or SIGTERM.'
        }
      }
    },
    kafka: {
      type: 'object',
      default: {},
      description:
        'Brokers and security, in our words (`brokers`, `ssl`, `sasl`) or in those of librdkafka (`"bootstrap.servers"`, `"security.protocol"`, `"sasl.mechanism"`, …); unknown words are refused.',
      additionalProperties: true,
      properties: {}
    },
    commands: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'How the daemon is told what to do.',
      properties: {
        topic: { ...topic, description: 'Command topic for JSON commands; short for one `listen` entry.' },
        listen: {
          type: 'array',
          items: listen,
          default: [],
          description: 'Further command topics, each with its dialects.'
        },
        file: {
          type: 'string',
          description: 'JSON file with commands to carry out at start-up: a list, or `{"commands": […]}`.'
        },
        max_bytes: {
          type: 'integer',
          minimum: 1024,
          maximum: 500000000,
          default: 300000000,
          description: 'Larger command messages are refused.'
        },
        timeout: { ...duration, default: '5m', description: 'A command that takes longer is answered with ERR.' }
      }
    },
    status: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'What the daemon tells about itself.',
      properties: {
        topic: { ...topic, description: 'Topic for status, answers and events.' },
        interval: { ...duration, default: '1s', description: 'Time between status messages.' },
        max_behind: {
          ...duration,
          default: '60s',
          description: 'The daemon is not ready while a job is further behind Kafka.'
        }
      }
    },
    reporters: {
      type: 'object',
      default: {},
      additionalProperties: { type: ['object', 'boolean'] },
      description:
        'Reporters by id with their options. json and x5f2 are on unless switched off by `false`; both need a topic (`status.topic`).'
    },
    services: {
      type: 'object',
      default: {},
      additionalProperties: { type: 'object' },
      description: 'Services to run, by id, with their options, e.g. `[services.filewriter]`.'
    },
    log: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'Where and how much to log.',
      properties: {
        level: {
          enum: ['error', 'warn', 'info', 'debug'],
          default: 'info',
          description: 'Least severe level that is logged.'
        },
        format: {
          enum: ['text', 'json'],
          default: 'text',
          description: 'One line of text or one JSON object an event.'
        },
        file: { type: 'string', description: 'Log file beside standard error; rotated at 10 MB, 5 kept.' }
      }
    },
    plugins: {
      type: 'array',
      default: [],
      description: 'Further plugins by path (from the config file) or npm name, and options for built-in ones.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['use'],
        properties: {
          use: {
            type: 'string',
            minLength: 1,
            description: 'Path beginning with `.` or `/`, npm name, or name of a built-in plugin.'
          },
          options: { type: 'object', description: 'Options of the plugin, see its README.' }
        }
      }
    },
    topics: {
      type: 'array',
      default: [],
      description:
        'What `nexstream provision` creates beside the topics of `commands` and `status`; `{instrument}` in a name is replaced.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name'],
        properties: {
          name: { type: 'string', pattern: '^[a-zA-Z0-9._{}-]{1,249}$', description: 'Topic name.' },
          partitions: { type: 'integer', minimum: 1, default: 1, description: 'Number of partitions.' },
          replication: { type: 'integer', minimum: 1, default: 1, description: 'Number of replicas.' },
          retention: { ...duration, description: 'How long messages are kept; default of the broker.' },
          retention_bytes: {
            type: 'integer',
            minimum: -1,
            description: 'Size to keep per partition; default of the broker.'
          },
          max_message_bytes: { type: 'integer', minimum: 1, description: 'Largest message; default of the broker.' },
          compact: { type: 'boolean', default: false, description: 'Keep the last message of each key for ever.' }
        }
      }
    }
  }
} as const satisfies JSONSchema

export type DaemonConfig = FromSchema<typeof configSchema>
export type ListenConfig = FromSchema<typeof listen>
