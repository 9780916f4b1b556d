// The source part `muons`: a virtual muon instrument as its digitisers tell it: traces with pulses of positrons, noise and vetoes.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'
import { defineSource, type MuonTraces } from '../../schemas/index.js'
import { pacing, type PulseMaker, PulseSource } from './pulses.js'
import { next, type RandomState, seedState } from './random.js'

/** Channels of each digitiser, numbered on from one to the next. */
export const CHANNELS = 8
const LIFETIME_NS = 2197
/** Share of the decays that follows the spin, and how fast that turns in the field, rad/ns. */
const ASYMMETRY = 0.25
const PRECESSION = (2 * Math.PI) / 1000
/** Samples in which a pulse rises, and in which it is gone. */
export const RISE = 4
const LENGTH = 40
const NS_PER_S = 1e9

const config = {
  type: 'object',
  required: ['channel'],
  properties: {
    channel: {
      type: 'string',
      enum: ['digitiser_0', 'digitiser_1', 'digitiser_2', 'digitiser_3'],
      description: 'What to read out.'
    },
    seed: { type: 'integer', minimum: 0, default: 1, description: 'The same seed gives the same traces.' },
    pulse_rate: { type: 'number', minimum: 0.001, maximum: 100_000, default: 50, description: 'Frames per second.' },
    muons_per_channel: {
      type: 'number',
      minimum: 0,
      maximum: 1000,
      default: 2,
      description: 'Pulses in each trace, on average.'
    },
    samples: { type: 'integer', minimum: 1, maximum: 1_000_000, default: 2000, description: 'Samples of a trace.' },
    sample_rate: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000_000_000,
      default: 100_000_000,
      description: 'Samples per second.'
    },
    baseline: { type: 'integer', minimum: 0, maximum: 65_535, default: 1000, description: 'Counts without a pulse.' },
    noise: { type: 'integer', minimum: 0, maximum: 127, default: 30, description: 'Largest noise, counts.' },
    height: { type: 'integer', minimum: 1, maximum: 50_000, default: 1000, description: 'Mean height, counts.' },
    periods: { type: 'integer', minimum: 1, maximum: 1000, default: 1, description: 'Periods, one after the other.' },
    pulses_per_period: { type: 'integer', minimum: 1, default: 100, description: 'Frames from one to the next.' },
    veto_every: {
      type: 'integer',
      minimum: 0,
      default: 25,
      description: 'Each so many frames one is vetoed; 0: none.'
    },
    ...pacing
  },
  additionalProperties: false
} as const satisfies JSONSchema

export type MuonConfig = Options<typeof config>

const uniform = (state: RandomState): number => ((next(state) >>> 0) + 0.5) / 0x1_0000_0000

export interface TruePulse {
  /** Sample, between samples, at which it begins. */
  readonly at: number
  readonly height: number
}

/** Pulses of one channel (of all) in one frame, in the order in which they are made. */
export function truePulses(config: MuonConfig, channel: number, state: RandomState): TruePulse[] {
  const { muons_per_channel: mean, sample_rate: rate, height } = config
  const phase = (2 * Math.PI * channel) / (4 * CHANNELS)
  const pulses: TruePulse[] = []
  const count = Math.floor(mean) + (uniform(state) < mean - Math.floor(mean) ? 1 : 0)
  for (let i = 0; i < count; i++) {
    const ns = decayNs(state, phase)
    pulses.push({ at: (ns * rate) / NS_PER_S, height: height * (0.6 + 0.8 * uniform(state)) })
  }
  return pulses
}

/** A muon lives so long; where its positron goes depends on its spin. */
function decayNs(state: RandomState, phase: number): number {
  for (;;) {
    const ns = -LIFETIME_NS * Math.log(uniform(state))
    const weight = 1 + ASYMMETRY * Math.cos(PRECESSION * ns + phase)
    if (uniform(state) * (1 + ASYMMETRY) < weight) return ns
  }
}

/** Of height 1 at its peak. */
const shapeAt = (samples: number): number => (samples <= 0 ? 0 : (samples / RISE) * Math.exp(1 - samples / RISE))

/** The traces of one digitiser in one frame. */
export function tracesOf(config: MuonConfig, digitiser: number, pulse: number, timestampNs: bigint): MuonTraces {
  const { seed, samples, sample_rate: rate, periods, pulses_per_period: each, veto_every: every } = config
  const traces = Array.from({ length: CHANNELS }, (_, i) => {
    const channel = digitiser * CHANNELS + i
    const state = seedState(seed, 100 + channel, pulse)
    const found = truePulses(config, channel, state)
    return { channel, voltage: { dtype: 'uint16' as const, length: samples, bytes: traceOf(config, found, state) } }
  })
  return {
    digitiser,
    frame: {
      timestampNs,
      period: BigInt(Math.floor(pulse / each) % periods),
      protonsPerPulse: 2,
      running: true,
      frameNumber: pulse >>> 0,
      vetoes: every > 0 && pulse % every === every - 1 ? 1 : 0
    },
    sampleRate: BigInt(rate),
    traces
  }
}

function traceOf({ samples, baseline, noise }: MuonConfig, pulses: readonly TruePulse[], state: RandomState) {
  const trace = new Float32Array(samples).fill(baseline)
  for (const { at, height } of pulses)
    for (let i = Math.ceil(at); i < Math.min(samples, at + LENGTH); i++) trace[i]! += height * shapeAt(i - at)
  const out = new Uint16Array(samples)
  let bits = 0
  for (let i = 0; i < samples; i++) {
    // A byte of noise for each sample
    bits = i % 4 === 0 ? next(state) : bits >> 8
    const value = Math.round(trace[i]! + (noise * (((bits & 0xff) << 24) >> 24)) / 128)
    out[i] = Math.min(0xffff, Math.max(0, value))
  }
  return new Uint8Array(out.buffer)
}

function makerOf(config: MuonConfig): PulseMaker {
  const digitiser = Number(config.channel.at(-1))
  const events = Math.round(CHANNELS * config.muons_per_channel)
  return (pulse, timestampNs) => ({
    records: [{ schema: 'dat2', record: tracesOf(config, digitiser, pulse, timestampNs), events }]
  })
}

export const muons = defineSource({
  id: 'muons',
  summary:
    'A virtual muon instrument: traces of four digitisers (dat2) with pulses of positrons, noise, periods and vetoes.',
  config,
  open: (config, context, emit) => new PulseSource(config, makerOf(config), context.signal, emit)
})
