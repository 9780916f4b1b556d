// What facilities `nexstream dev` can be: their instrument, what is counted live, and the parts that stand between the two.

export interface FacilityKind {
  /** Folder of config and structure, below `facility`; undefined: `facility` itself. */
  readonly folder?: string
  /** Word that its config has: another one is of another kind. */
  readonly marks?: string
  readonly pulseRate: number
  /** Events of a pulse where nobody says how many. */
  readonly perPulse: number
  /** Topics and options of the virtual instrument; `topic` begins with the instrument. */
  simulation(topic: (name: string) => string, perPulse: number): Readonly<Record<string, unknown>>
  histograms(topic: (name: string) => string): readonly Readonly<Record<string, unknown>>[]
}

/** AMOR's detector has 256 × 256 pixels; a pulse period of 14 Hz in ns. */
const amor: FacilityKind = {
  pulseRate: 14,
  perPulse: 1000,
  simulation: (topic, perPulse) => ({
    topic: topic('events'),
    monitor_topic: topic('monitor'),
    schema: 'ev44',
    options: { events_per_pulse: perPulse }
  }),
  histograms: (topic) => {
    const detector = { data_topic: topic('events'), source: 'amor_detector', topic: topic('histograms') }
    const image = { first_pixel: 1, width: 256, height: 256 }
    const times = { tof_range: [0, 71_428_571], num_bins: 200 }
    const regions = [{ name: 'specular', rectangle: [96, 96, 64, 64] }]
    return [
      { id: 'detector', kind: 'image', ...detector, ...image },
      { id: 'spectrum', kind: 'tof', ...detector, ...times },
      { id: 'beam', kind: 'roi', ...detector, ...image, ...times, regions }
    ]
  }
}

/** Boards of a powder diffractometer, put together to frames by the aggregator. */
const isis: FacilityKind = {
  folder: 'isis',
  marks: '[services.aggregator]',
  pulseRate: 50,
  perPulse: 600,
  simulation: (topic, perPulse) => ({
    instrument: 'isis',
    topic: topic('rawEvents'),
    options: { events_per_pulse: Math.ceil(perPulse / 2) }
  }),
  histograms: (topic) => {
    const detector = { data_topic: topic('events'), topic: topic('histograms') }
    const times = { tof_range: [0, 20_000_000] }
    return [
      { id: 'detector', kind: 'image', ...detector, first_pixel: 1, width: 64, height: 64 },
      { id: 'spectrum', kind: 'tof', ...detector, ...times, num_bins: 500 },
      { id: 'lines', kind: 'tof_pixel', ...detector, ...times, det_range: [1, 4096], num_bins: [200, 64] }
    ]
  }
}

/** Digitisers of a muon instrument: events found in their traces, put together to frames. */
const muons: FacilityKind = {
  folder: 'muons',
  marks: '[services.muon_frames]',
  pulseRate: 20,
  perPulse: 64,
  simulation: (topic, perPulse) => ({
    instrument: 'muons',
    topic: topic('traces'),
    options: { muons_per_channel: perPulse / 32, samples: 1000, baseline: 1000, periods: 2 }
  }),
  histograms: (topic) => {
    const detector = { data_topic: topic('frames'), topic: topic('histograms') }
    return [
      { id: 'channels', kind: 'image', ...detector, first_pixel: 0, width: 8, height: 4 },
      { id: 'decay', kind: 'tof', ...detector, tof_range: [0, 10_000], num_bins: 200 },
      { id: 'precession', kind: 'tof_pixel', ...detector, tof_range: [0, 10_000], det_range: [0, 31], num_bins: [200, 32] } // prettier-ignore
    ]
  }
}

export const kinds: Readonly<Record<string, FacilityKind>> = { amor, isis, muons }
