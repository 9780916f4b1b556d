// `start` of the file writer: one NeXus file from Kafka topics.
import { flavours } from '../structure/flavour.js'
import { type CommandOf, defineCommand, type JSONSchema, type Origin, type Reply } from '../../../core/api/plugin.js'

const time = {
  anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }]
} as const

const schema = {
  type: 'object',
  required: ['file_name', 'nexus_structure'],
  additionalProperties: false,
  properties: {
    job_id: { type: 'string', minLength: 1, maxLength: 200, description: 'Name of the job; made up when missing.' },
    file_name: {
      type: 'string',
      minLength: 1,
      maxLength: 1024,
      description: 'Name of the file below the output folder; nothing is overwritten.'
    },
    nexus_structure: {
      anyOf: [{ type: 'object' }, { type: 'string' }],
      description: 'What the file holds: groups, datasets, streams, links; an object or its JSON text.'
    },
    start_time: {
      ...time,
      description:
        'ms since 1970 or ISO 8601; also in the past (read from Kafka) or future. Default: when the command was sent.'
    },
    stop_time: { ...time, description: 'ms since 1970 or ISO 8601; without it the job runs until `stop`.' },
    lenient: {
      type: 'boolean',
      description:
        'Write what is good in the structure and list the rest as warnings, instead of refusing the command; default that of the service, else of the dialect.'
    },
    on_missing_topic: {
      enum: ['wait', 'skip', 'fail'],
      description:
        'What to do about topics that do not exist, for streams that do not say it: wait for them, do without, or refuse the command; default that of the service.'
    },
    flavour: {
      enum: flavours,
      description:
        'mantid: beside the usual layout what Mantid looks for; default that of the service. The structure may say it, too, as key `flavour` of its root.'
    },
    run_name: { type: 'string', maxLength: 1024, description: 'Name of the run, for writers of run information.' },
    instrument_name: {
      type: 'string',
      maxLength: 200,
      description: 'Instrument; a template of this name is used when there is one.'
    },
    metadata: { anyOf: [{ type: 'object' }, { type: 'string' }], description: 'Given back in the event at the end.' },
    control_topic: {
      type: 'string',
      pattern: '^[a-zA-Z0-9._-]{1,249}$',
      description:
        'Answers, events and heartbeats of this job go to this topic, and commands for it are heard there too.'
    },
    periods: { type: 'integer', minimum: 1, maximum: 1000000, description: 'Number of data periods.' },
    detector_spectrum_map: {
      type: 'object',
      additionalProperties: false,
      required: ['spectra', 'detectors'],
      properties: {
        spectra: { type: 'array', items: { type: 'integer' }, description: 'Spectrum number of each entry.' },
        detectors: { type: 'array', items: { type: 'integer' }, description: 'Detector id of each entry.' }
      },
      description: 'Which detectors make up which spectrum.'
    },
    fail_on: {
      enum: ['lost', 'any'],
      description:
        'What makes the end of the job an error: data that are not in the file, or any warning, too; default that of the service.'
    },
    checksum: { type: 'boolean', description: 'Leave FILE.sha256 beside the file; default that of the service.' }
  }
} as const satisfies JSONSchema

export type StartJobCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface StartsJobs {
  startJob(command: StartJobCommand, origin: Origin): Promise<Reply>
}

export const start = defineCommand({
  cmd: 'start',
  summary:
    'Starts writing a NeXus file. Everything wrong in the structure is in the answer, each with its path, before a file is made.',
  schema,
  examples: [
    {
      cmd: 'start',
      service: 'filewriter',
      msg_id: 'start-42',
      job_id: 'run-42',
      file_name: 'amor_42.nxs',
      nexus_structure: {
        children: [
          {
            type: 'group',
            name: 'entry',
            attributes: { NX_class: 'NXentry' },
            children: [
              { module: 'dataset', config: { name: 'title', values: 'specular', type: 'string' } },
              {
                type: 'group',
                name: 'events',
                children: [{ module: 'ev44', config: { topic: 'amor_events', source: 'amor_detector' } }]
              },
              {
                type: 'group',
                name: 'temperature',
                children: [{ module: 'f144', config: { topic: 'amor_sample_env', source: 'SIM:TEMP' } }]
              }
            ]
          }
        ]
      }
    },
    {
      cmd: 'start',
      service: 'filewriter',
      file_name: 'yesterday.nxs',
      nexus_structure: '{"children": []}',
      start_time: '2026-11-20T10:00:00Z',
      stop_time: 1795172400000
    }
  ],
  run: (command, origin, writer: StartsJobs) => writer.startJob(command, origin)
})
