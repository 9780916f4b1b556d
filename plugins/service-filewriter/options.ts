// Options of the file writer: `[services.filewriter]`.
import { type JSONSchema } from '../../core/api/plugin.js'
import { flavours } from './structure/flavour.js'

export const optionSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    folder: {
      type: 'string',
      minLength: 1,
      default: '.',
      description: 'Output folder; no file is ever made outside it.'
    },
    flavour: {
      enum: flavours,
      default: 'usual',
      description:
        'mantid: beside the usual layout what Mantid looks for (links to events, logs in DASlogs), for starts and structures that do not say it. Such a job is written by one thread.'
    },
    templates: {
      type: 'string',
      minLength: 1,
      description:
        'Folder of templates: a start with instrument_name X is laid over the structure in X/X.json, or in the HDF5 file X/X.hdf (.nxs, .h5), when there is one.'
    },
    max_jobs: { type: 'integer', minimum: 1, maximum: 64, default: 4, description: 'Files written at the same time.' },
    journal_topic: {
      type: 'string',
      pattern: '^[a-zA-Z0-9._-]{1,249}$',
      description:
        'Topic of one partition, best compacted, that all daemons of a pool share: a job whose daemon dies is run again from history by another, or by the same one after a restart. Without it such a job is lost.'
    },
    journal_lease_ms: {
      type: 'integer',
      minimum: 500,
      default: 10_000,
      description: 'A daemon that is silent in the journal for twice as long is taken to be dead.'
    },
    on_shutdown: {
      enum: ['finish', 'hand_over'],
      default: 'finish',
      description:
        'What a daemon that is told to end does with its jobs: finish their files with what there is, or leave them to the others of the journal.'
    },
    before_start_ms: {
      type: 'integer',
      minimum: 0,
      default: 10_000,
      description: 'Topics are read from the Kafka time of the start less this.'
    },
    late_data_ms: {
      type: 'integer',
      minimum: 0,
      default: 5000,
      description: 'Data may reach Kafka so long after the stop time; a live job waits so long for them.'
    },
    checkpoint_ms: {
      type: 'integer',
      minimum: 50,
      default: 2000,
      description: 'Time between checkpoints: what readers see, and what is left after a crash.'
    },
    progress_ms: {
      type: 'integer',
      minimum: 50,
      default: 1000,
      description: 'Time between progress reports of a job.'
    },
    look_back_ms: {
      type: ['integer', 'null'],
      minimum: 0,
      default: null,
      description: 'How far before the start the last value of a log is searched; null: as far as Kafka has data.'
    },
    look_back_bytes: {
      type: 'integer',
      minimum: 0,
      default: 4_294_967_296,
      description: 'Most bytes read per topic in that search.'
    },
    look_further_bytes: {
      type: 'integer',
      minimum: 0,
      default: 68_719_476_736,
      description:
        'Most bytes read per partition behind a window in the past since its last message, while the times there do not tell that it is over; a job that ends by this says so and counts as lost.'
    },
    seek_by_time: {
      type: 'boolean',
      default: true,
      description: 'Find the window by the Kafka times of messages; false for data whose Kafka times are not their own.'
    },
    lenient: {
      type: 'boolean',
      description:
        "What to do about a structure that is not sound, for commands that do not say it (pl72 cannot). true: write what is good and list the rest as warnings in answer and report; false: refuse the command. Default: true for the commands of the peers' file writers (dialects ess and filewriter-2018), as theirs do, but that a pl72 with an unknown module is refused; false for our own."
    },
    on_missing_topic: {
      enum: ['wait', 'skip', 'fail'],
      default: 'fail',
      description: 'A topic does not exist: wait for it, do without its streams, or refuse the command.'
    },
    on_empty_topic: {
      enum: ['wait', 'skip', 'fail'],
      default: 'wait',
      description: 'A topic holds no messages at all: wait for some, do without its streams, or refuse the command.'
    },
    fetch_bytes: {
      type: 'integer',
      minimum: 65_536,
      maximum: 268_435_456,
      default: 8_388_608,
      description: 'Most bytes asked of Kafka at once, per connection.'
    },
    fetch_threads: {
      type: 'integer',
      minimum: 0,
      maximum: 64,
      default: 0,
      description:
        'Threads that read, check and decompress for the thread of a job, each some of its partitions: for topics that are too fast for one, or compressed. 0: it does so itself.'
    },
    memory_bytes: {
      type: 'integer',
      minimum: 1_048_576,
      default: 67_108_864,
      description: 'Most bytes that the datasets of a job gather in memory.'
    },
    report_in_file: {
      type: 'boolean',
      default: true,
      description: 'Put the report of the job into the file, as nexstream_report in the entry.'
    },
    threads_per_job: {
      type: 'integer',
      minimum: 1,
      maximum: 64,
      default: 1,
      description:
        'Threads that share the topics of a job, or partitions of a topic where the streams name them. With more than one, groups of other topics go into files FILE_1, FILE_2 … and FILE has external links to them.'
    },
    rehearse: {
      type: 'boolean',
      default: true,
      description:
        'After ten seconds without a job a new daemon writes a made-up one (half a second of CPU, at most one; 20 MB of memory stay, no file), so that its first real one is nearly as fast as later ones.'
    },
    fsync: {
      enum: ['never', 'close', 'checkpoint'],
      default: 'close',
      description: 'When data are forced to the disk itself: what a power cut may cost.'
    },
    least_free_bytes: {
      type: 'integer',
      minimum: 0,
      default: 67_108_864,
      description:
        'A start is refused when the disk of the folder has less room (0: never). From 16 times as much downwards the log and the status warn.'
    },
    fail_on: {
      enum: ['lost', 'any'],
      default: 'lost',
      description:
        'What makes the end of a job an error (error_encountered): data of the job that are not in the file, or any warning, too.'
    },
    read_only: { type: 'boolean', default: true, description: 'Make complete files read-only.' },
    checksum: { type: 'boolean', default: false, description: 'Leave FILE.sha256 beside every file.' },
    compression: {
      type: 'object',
      additionalProperties: false,
      required: ['filter'],
      properties: {
        filter: {
          enum: ['gzip', 'zstd', 'lz4', 'bitshuffle'],
          description:
            'Filter of all growing datasets; all but gzip need a plugin where they are read (hdf5plugin). bitshuffle packs by lz4.'
        },
        level: {
          type: 'integer',
          minimum: 1,
          maximum: 22,
          description: 'Its level; at most 9 for gzip; lz4 and bitshuffle have none.'
        },
        shuffle: {
          type: 'boolean',
          default: false,
          description: 'First bytes of all elements first, which packs numbers better; bitshuffle does so by itself.'
        }
      },
      description: 'Compress growing datasets; default not. A stream may say otherwise (`compression`).'
    }
  }
} as const satisfies JSONSchema
