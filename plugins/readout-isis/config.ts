// What a board of ISIS' electronics is: the detector file.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'

export const isisConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    header: {
      enum: ['old', 'new'],
      default: 'old',
      description:
        'Header of the messages: of 16 words with the marker in two, or the newer one that names the form of its events.'
    },
    board: {
      enum: ['PC3544MS', 'PC3634M1S', 'PC3877MS'],
      description:
        'Type of the board (old header): it says what the second word of an event is; that of lines of a wiring table that do not name it.'
    },
    start: {
      type: 'integer',
      minimum: 0,
      maximum: 2_147_483_647,
      default: 0,
      description: 'Detector id of the first pixel (PC3634M1S, PC3877MS).'
    },
    channels: {
      type: 'array',
      default: [],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['channel', 'start', 'length'],
        properties: {
          channel: { type: 'integer', minimum: 0, maximum: 7, description: 'Channel of the board.' },
          start: {
            type: 'integer',
            minimum: 0,
            maximum: 2_147_483_647,
            description: 'Detector id of its first pixel.'
          },
          length: { type: 'integer', minimum: 1, maximum: 4096, description: 'Pixels along its tube.' }
        }
      },
      description: 'Tubes of the board (PC3544MS): a line of the wiring table each.'
    },
    source: { type: 'string', minLength: 1, default: 'rust_proc', description: 'Source name in the messages.' },
    control: {
      type: 'string',
      description: 'Address of the board that tells period and charge (new header); default: all do.'
    },
    period_half: {
      enum: ['upper', 'lower'],
      default: 'upper',
      description:
        'Where in its word the period is (new header): the upper half in the code of ISIS, the lower in its documents.'
    },
    delay_ns: {
      type: 'number',
      minimum: 0,
      default: 0,
      description:
        'ns of a count of the frame sync delay (new header), which is taken from the time of the frame and added to times of flight; 0: boards tell none.'
    },
    max_clock_off_s: {
      type: 'number',
      minimum: 0,
      default: 3600,
      description: "A board's clock may be so far from this machine's; with more Kafka's time is that of arrival."
    },
    charge_uah: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 1.738e-6,
      description: 'Proton charge of one count of the protons, µAh.'
    }
  }
} as const satisfies JSONSchema

export type IsisConfig = Options<typeof isisConfig>
