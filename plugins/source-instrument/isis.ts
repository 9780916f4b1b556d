// The source part `isis`: a virtual powder diffractometer as its boards tell it: two of events, one of vetoes, periods and charge.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'
import { defineSource, type PulseRecord } from '../../schemas/index.js'
import { eventsOf, pacing, type PulseMaker, PulseSource } from './pulses.js'
import { next, type RandomState, seedState } from './random.js'

/** Detector pixels of both boards, from 1, row by row; each board has half of the rows. */
export const SIDE = 64
const BOARD_PIXELS = (SIDE * SIDE) / 2
/** What ISIS' own program names itself. */
const SOURCE = 'rust_proc'

/** Flight path, m, and ns of flight per metre and ångström. */
const PATH = 12
const NS_PER_METRE_ANGSTROM = 252_778
/** Bragg angles of the first and the last row, rad. */
const angles = { first: (35 * Math.PI) / 180, last: (60 * Math.PI) / 180 }
/** Spacings of the planes of silicon, Å, and how strong they are, in sum 1. */
const planes: readonly (readonly [spacing: number, share: number])[] = [
  [3.1356, 0.3],
  [1.9201, 0.3],
  [1.6375, 0.2],
  [1.3577, 0.08],
  [1.2459, 0.12]
]
/** Width of a line, relative; share of events, in 1/256, that are background. */
const WIDTH = 0.008
const BACKGROUND = 60
const FRAME_NS = 20_000_000
/** µAh of a pulse. */
const CHARGE = 0.0005

const config = {
  type: 'object',
  required: ['channel'],
  properties: {
    channel: { type: 'string', enum: ['board_1', 'board_2', 'vetoes'], description: 'What to read out.' },
    seed: { type: 'integer', minimum: 0, default: 1, description: 'The same seed gives the same events.' },
    pulse_rate: { type: 'number', minimum: 0.001, maximum: 100_000, default: 50, description: 'Pulses per second.' },
    events_per_pulse: {
      type: 'integer',
      minimum: 0,
      maximum: 50_000_000,
      default: 300,
      description: 'Events of each board in each pulse.'
    },
    periods: { type: 'integer', minimum: 1, maximum: 1000, default: 2, description: 'Periods, one after the other.' },
    pulses_per_period: { type: 'integer', minimum: 1, default: 100, description: 'Pulses from one to the next.' },
    veto_every: {
      type: 'integer',
      minimum: 0,
      default: 25,
      description: 'Each so many pulses one is vetoed; 0: none.'
    },
    ...pacing
  },
  additionalProperties: false
} as const satisfies JSONSchema

type Config = Options<typeof config>

/** 0 to 1. */
const uniform = (state: RandomState): number => (next(state) >>> 0) / 0x1_0000_0000

/** About normal, of width 1. */
const normal = (state: RandomState): number => (uniform(state) + uniform(state) + uniform(state) - 1.5) * 2

/** Of one board (from 0) in one pulse. */
export function boardPulse(seed: number, pulse: number, board: number, events: number) {
  const state = seedState(seed, 10 + board, pulse)
  const times = new Int32Array(events)
  const pixels = new Int32Array(events)
  for (let i = 0; i < events; i++) {
    const place = (next(state) >>> 0) % BOARD_PIXELS
    pixels[i] = 1 + board * BOARD_PIXELS + place
    const row = Math.floor((board * BOARD_PIXELS + place) / SIDE)
    const angle = angles.first + ((angles.last - angles.first) * row) / (SIDE - 1)
    const isBackground = (next(state) & 0xff) < BACKGROUND
    const wavelength = 2 * spacing(uniform(state)) * Math.sin(angle) * (1 + WIDTH * normal(state))
    times[i] = isBackground ? uniform(state) * FRAME_NS : wavelength * NS_PER_METRE_ANGSTROM * PATH
  }
  return { timeOfFlight: new Uint8Array(times.buffer), pixelId: new Uint8Array(pixels.buffer) }
}

function spacing(share: number): number {
  let left = share
  for (const [one, part] of planes) {
    if (left < part) return one
    left -= part
  }
  return planes[0]![0]
}

/** What the board of vetoes tells of pulse n. */
export function pulseOf(
  { periods, pulses_per_period: each, veto_every: every }: Config,
  pulse: number,
  timestampNs: bigint
): PulseRecord {
  // prettier-ignore
  const isVetoed = every > 0 && pulse % every === every - 1
  return {
    source: SOURCE,
    messageId: BigInt(pulse),
    timestampNs,
    vetos: isVetoed ? 1 << 1 : 0,
    period: Math.floor(pulse / each) % periods,
    protonCharge: CHARGE
  }
}

function makerOf(config: Config): PulseMaker {
  const { channel, seed, events_per_pulse: events } = config
  if (channel === 'vetoes')
    return (pulse, timestampNs) => ({ records: [{ schema: 'pu00', record: pulseOf(config, pulse, timestampNs), events: 0 }] }) // prettier-ignore
  const board = channel === 'board_1' ? 0 : 1
  return (pulse, timestampNs) => {
    const { timeOfFlight, pixelId } = boardPulse(seed, pulse, board, events)
    return { events: eventsOf(SOURCE, BigInt(pulse), timestampNs, timeOfFlight, pixelId) }
  }
}

export const isis = defineSource({
  id: 'isis',
  summary:
    'A virtual powder diffractometer as the boards of ISIS tell it: events of two boards, and pulses with periods, vetoes and charge.',
  config,
  open: (config, context, emit) => new PulseSource(config, makerOf(config), context.signal, emit)
})
