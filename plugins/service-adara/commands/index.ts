// Commands of the live stream: runs begin and end, pauses, comments.
import { type CommandOf, defineCommand, type JSONSchema, type Reply } from '../../../core/api/plugin.js'

const startSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['run_number'],
  properties: {
    run_number: { type: 'integer', minimum: 1, maximum: 4_294_967_295, description: 'Number of the run.' },
    title: { type: 'string', maxLength: 1024, description: 'Title of the run.' },
    start_time: {
      anyOf: [
        { type: 'integer', minimum: 0 },
        { type: 'string', format: 'date-time' }
      ],
      description: 'ms since 1970 or ISO 8601; default: now.'
    }
  }
} as const satisfies JSONSchema
export type StartLiveRunCommand = CommandOf<typeof startSchema>

const annotateSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['kind'],
  properties: {
    kind: {
      enum: ['pause', 'resume', 'comment', 'scan_start', 'scan_stop'],
      description: 'What happens; while a run is paused clients drop its events.'
    },
    text: { type: 'string', maxLength: 8192, default: '', description: 'In words.' },
    scan_index: { type: 'integer', minimum: 0, maximum: 4_294_967_295, default: 0, description: 'Number of the scan.' }
  }
} as const satisfies JSONSchema
export type AnnotateCommand = CommandOf<typeof annotateSchema>

const nothing = { type: 'object', additionalProperties: false, properties: {} } as const satisfies JSONSchema

/** What they need of the service. */
export interface RunsLive {
  startRun(command: StartLiveRunCommand): Promise<Reply>
  stopRun(): Promise<Reply>
  annotate(command: AnnotateCommand): Promise<Reply>
  showLive(): Promise<Reply>
}

const start = defineCommand({
  cmd: 'start',
  summary: 'A run begins, for all clients of the live stream; one that is running ends first.',
  schema: startSchema,
  examples: [{ cmd: 'start', service: 'adara', run_number: 42, title: 'vanadium' }],
  run: (command, _origin, live: RunsLive) => live.startRun(command)
})

const stop = defineCommand({
  cmd: 'stop',
  summary: 'The run ends, for all clients of the live stream.',
  schema: nothing,
  examples: [{ cmd: 'stop', service: 'adara' }],
  run: (_command, _origin, live: RunsLive) => live.stopRun()
})

const annotate = defineCommand({
  cmd: 'annotate',
  summary: 'Tells all clients of the live stream of a pause, a scan or a comment.',
  schema: annotateSchema,
  examples: [{ cmd: 'annotate', service: 'adara', kind: 'pause', text: 'sample change' }],
  run: (command, _origin, live: RunsLive) => live.annotate(command)
})

const status = defineCommand({
  cmd: 'status',
  summary: 'Clients, run and counts of the live stream.',
  schema: nothing,
  examples: [{ cmd: 'status', service: 'adara' }],
  run: (_command, _origin, live: RunsLive) => live.showLive()
})

export const commands = [start, stop, annotate, status]
