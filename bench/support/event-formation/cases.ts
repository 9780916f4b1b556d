// Full packets of the families that the goals speak of, and the goals: CPU of a packet from the socket to Kafka's acknowledgement.
import { filesOfCase, families, recordedCase, type RecordedCase } from '../../../test/event-formation/cases.js'
import { generatePackets } from '../../../plugins/service-event-formation/generate/packets.js'
import { type DetectorFiles } from '../../../plugins/service-event-formation/form/formation.js'
import { type ReadoutPart } from '../../../plugins/service-event-formation/readout-kit.js'

export interface BenchCase {
  readonly recorded: string
  /** Keys of the detector file that are others. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Of the generator; each may be several of the electronics. */
  readonly readouts: number
  readonly packetsPerSecond: number
  /** µs: what the field's program needs where the loop in C needs `LOOP_US`, and what we may at most. */
  readonly peerUs: number
  readonly goalUs: number
}

/** µs of the loop in C where the goals were measured. */
export const LOOP_US = 2.9

export const benchCases: Readonly<Record<string, BenchCase>> = {
  loki: { recorded: 'caen-loki', readouts: 372, packetsPerSecond: 15_000, peerUs: 43, goalUs: 43 },
  dream: { recorded: 'cdt-dream', readouts: 558, packetsPerSecond: 15_000, peerUs: 35, goalUs: 38 },
  cbm: { recorded: 'cbm', readouts: 447, packetsPerSecond: 15_000, peerUs: 30, goalUs: 25 },
  freia: { recorded: 'vmm-freia', readouts: 223, packetsPerSecond: 5000, peerUs: 127, goalUs: 95 },
  // 16 pixels a neutron: 69 of them
  timepix3: { recorded: 'timepix3', config: { MinEventSizeHits: 15 }, readouts: 69, packetsPerSecond: 5000, peerUs: 137, goalUs: 137 } // prettier-ignore
}

const recordedOf = ({ recorded, config }: BenchCase): RecordedCase => {
  const found = recordedCase(recorded)
  return { ...found, config: { ...found.config, ...config } }
}

async function partOf(one: BenchCase): Promise<{ readonly part: ReadoutPart; readonly files: DetectorFiles }> {
  const recorded = recordedOf(one)
  const part = (await families()).readout(recorded.family) as ReadoutPart
  return { part, files: filesOfCase(recorded, part) }
}

export const filesOf = async (one: BenchCase): Promise<DetectorFiles & { readonly family: string }> => {
  const { part, files } = await partOf(one)
  return { ...files, family: part.id }
}

/** Packets of so many pulses, each of so many; of a camera also those that say when a pulse was. */
export async function packetsOf(one: BenchCase, pulses: number, packets: number): Promise<Uint8Array[]> {
  const { part, files } = await partOf(one)
  const options = { seed: 1, pulses, packets, readouts: one.readouts, loss: 0, startNs: 1_700_000_000_000_000_000n } // prettier-ignore
  if (part.generate === undefined) throw new Error(`${part.id} makes no readouts`)
  const all = [...generatePackets(part, part.generate(files.config, files.calibration), options)]
  return all.filter(({ readouts }, i) => readouts > 0 || i < all.length - 1).map(({ bytes }) => bytes)
}
