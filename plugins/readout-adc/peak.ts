// The highest sample of a run above its background, and when its edge passed a tenth of that.
import { type SampleRun, timeOf } from './packet.js'

const THRESHOLD = 0.1

export interface Peak {
  /** Above the background. */
  readonly amplitude: number
  /** Of all samples above the background; below it they count negative. */
  readonly area: number
  /** Where the peak is, and the sample there, without the background taken off. */
  readonly background: number
  readonly level: number
  /** ns since 1970; of the peak 0 where there is none. */
  readonly peakNs: bigint
  readonly thresholdNs: bigint
}

/**
 * The background is the line from the first sample to the last.
 * @param compatible - the time of the peak leaves oversampling out, as the field's program does
 */
export function peakOf({ samples, clock, seconds, fraction, oversampling }: SampleRun, compatible: boolean): Peak {
  const { length } = samples
  const first = samples[0] ?? 0
  const slope = length > 1 ? (samples[length - 1]! - first) / (length - 1) : 0
  // Halves are rounded away from the first sample, as there
  const backgroundAt = (i: number): number => first + Math.sign(slope) * Math.round(Math.abs(slope) * i)
  let [amplitude, area, top] = [0, 0, -1]
  for (let i = 0; i < length; i++) {
    const above = samples[i]! - backgroundAt(i)
    area += above
    if (above <= amplitude) continue
    amplitude = above
    top = i
  }
  if (top < 0)
    return { amplitude: 0, area, background: 0, level: 0, peakNs: 0n, thresholdNs: timeOf(clock, seconds, fraction) }
  const shareAt = (i: number): number => Math.fround((samples[i]! - backgroundAt(i)) / amplitude)
  let edge = 0
  while (shareAt(edge) < THRESHOLD) edge++
  const before = Math.max(0, edge - 1)
  const [low, high] = [shareAt(before), shareAt(edge)]
  const place = edge === 0 ? 0 : Math.fround((THRESHOLD - low) / (high - low)) * oversampling
  return {
    amplitude,
    area,
    background: backgroundAt(top),
    level: samples[top]!,
    peakNs: timeOf(clock, seconds, fraction, compatible ? top : top * oversampling),
    thresholdNs: timeOf(clock, seconds, fraction, before * oversampling) + BigInt(Math.round(place * clock.cycle))
  }
}
