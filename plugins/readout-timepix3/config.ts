// The detector file of Timepix3 cameras, as the field writes it.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'

const whole = (minimum: number, standard: number, description: string) =>
  ({ type: 'integer', minimum, maximum: 2_000_000_000, default: standard, description }) as const
const pixels = { type: 'integer', minimum: 1, maximum: 512 } as const

export const timepix3Config = {
  type: 'object',
  required: ['Detector', 'XResolution', 'YResolution'],
  properties: {
    Detector: { enum: ['timepix3'], description: 'The family.' },
    XResolution: { ...pixels, description: 'Pixels of x.' },
    YResolution: { ...pixels, description: 'Pixels of y.' },
    ParallelThreads: whole(1, 1, 'Not used: the whole area is one.'),
    ScaleUpFactor: { type: 'integer', minimum: 1, maximum: 64, default: 1, description: 'Pixels of the image for each of the camera.' }, // prettier-ignore
    MaxTimeGapNS: whole(0, 1, 'Longest time between hits of an event, ns.'),
    MinEventTimeSpanNS: whole(0, 1, 'Shortest time from the first to the last hit of one, ns.'),
    FrequencyHz: { type: 'integer', minimum: 1, maximum: 1000, default: 14, description: 'Pulses per second.' },
    MinEventSizeHits: whole(1, 1, 'Fewest hits of an event.'),
    MinimumToTSum: whole(0, 20, 'Lowest sum of times over threshold.'),
    MaxCoordinateGap: { type: 'integer', minimum: 1, maximum: 512, default: 5, description: 'Hits of an event are nearer to its first.' } // prettier-ignore
  }
} as const satisfies JSONSchema

export type Timepix3Config = Options<typeof timepix3Config>
