// Traces of a muon digitiser → events: by a fixed threshold, or by constant fraction, whose times do not depend on the height.

/** Time in samples since the begin of the trace, and height in counts above the baseline. */
export type FoundMuon = (sample: number, height: number) => void

export interface PulseShape {
  /** Whether pulses go down. */
  readonly negative: boolean
  /** Counts without a pulse. */
  readonly baseline: number
  /** Counts above the baseline that a pulse has at least. */
  readonly threshold: number
  /** Samples from an event on in which no other begins. */
  readonly coolOff: number
}

export interface FixedThreshold extends PulseShape {
  /** Samples in a row that a pulse is above the threshold at least. */
  readonly duration: number
}

/** An event is where the threshold is passed first; its height is the highest sample until it is below again. */
export function fixedThreshold(samples: Uint16Array, shape: FixedThreshold, found: FoundMuon): void {
  const { negative, baseline, threshold, coolOff, duration } = shape
  const sign = negative ? -1 : 1
  let ready = 0
  let above = 0
  let height = 0
  const end = (i: number): void => {
    const begin = i - above
    if (above >= duration && begin >= ready) {
      found(begin, height)
      ready = begin + coolOff
    }
    above = 0
    height = 0
  }
  for (let i = 0; i < samples.length; i++) {
    const signal = sign * (samples[i]! - baseline)
    if (signal >= threshold) {
      above++
      if (signal > height) height = signal
    } else if (above > 0) end(i)
  }
  // The trace ends before the pulse does
  if (above > 0) end(samples.length)
}

export interface ConstantFraction extends PulseShape {
  /** Of its height, where a pulse has its time. */
  readonly fraction: number
  /** Samples by which a pulse is delayed before its fraction is taken away; about its rise time. */
  readonly delay: number
}

/**
 * The pulse, delayed, less its fraction: where that passes 0 upwards does not depend on its height. Times lie between samples. A
 * pulse on the tail of another one is an event of its own, when it is high enough to pull that below 0 again.
 */
export function constantFraction(samples: Uint16Array, shape: ConstantFraction, found: FoundMuon): void {
  const { negative, baseline, threshold, coolOff, fraction, delay } = shape
  const sign = negative ? -1 : 1
  const signalAt = (i: number): number => (i < 0 ? 0 : sign * (samples[i]! - baseline))
  let ready = 0
  let before = 0
  let isArmed = false
  let height = 0
  /** Of an event whose height may grow still; below 0: none. */
  let time = -1
  const end = (): void => {
    if (time >= 0) found(time, height)
    time = -1
    height = 0
  }
  for (let i = 0; i < samples.length; i++) {
    const signal = signalAt(i)
    const shaped = signalAt(i - delay) - fraction * signal
    if (shaped < 0 && signal >= threshold && !isArmed) {
      end()
      isArmed = true
    }
    if ((isArmed || time >= 0) && signal > height) height = signal
    if (isArmed && shaped >= 0) {
      isArmed = false
      const at = Math.max(0, i - shaped / (shaped - before) - delay)
      if (at >= ready) [time, ready] = [at, at + coolOff]
      else height = 0
    }
    if (signal < threshold && !isArmed) end()
    before = shaped
  }
  end()
}
