// What a writer may know about the run that its job records.
/** What is known about the run that a write job records. */
export interface RunInfo {
  readonly startNs: bigint
  /** As it stands now; null while none is set. */
  readonly stopNs: bigint | null
  readonly fileName: string
  readonly runName: string
  readonly instrumentName: string
  readonly periods: number | null
  /** Spectrum number ↔ detector ids of pl72 or df12. */
  readonly detectorSpectrumMap: {
    readonly spectra: readonly number[]
    readonly detectors: readonly number[]
    readonly monitors: number
  } | null
}
