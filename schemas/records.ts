// What decoded messages look like. Vectors are raw little-endian bytes, in place in the message.

export type VectorType =
  | 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64' | 'float32' | 'float64' // prettier-ignore

/** A numeric vector: `bytes.length === length * size of dtype`; start is not aligned. */
export interface Vector {
  readonly dtype: VectorType
  readonly length: number
  readonly bytes: Uint8Array
  /** Puts the bytes into a message that is made; for what would be made as `bytes` for that alone. `target` begins at a multiple of 8. */
  writeTo?(target: Uint8Array): void
}

/** Whether a Vector, among the things that a value can be. */
export const isVector = (value: unknown): value is Vector =>
  typeof value === 'object' && value !== null && 'dtype' in value && 'bytes' in value

/** ev42, ev43, ev44, an44: events of one or several pulses. */
export interface EventRecord {
  readonly source: string
  readonly messageId: bigint
  /** ns since the epoch, int64 or uint64, one per pulse. */
  readonly referenceTime: Vector
  /** Index of the first event of each pulse; absent for one pulse (ev42). */
  readonly referenceTimeIndex: Vector | null
  /** ns after the pulse; length 0 when absent. */
  readonly timeOfFlight: Vector
  readonly pixelId: Vector
  /** an44. */
  readonly weight?: Vector
  /** ev42 facility data. */
  readonly facility?:
    | { readonly type: 'isis'; readonly periodNumber: number; readonly runState: string; readonly protonCharge: number }
    | {
        readonly type: 'adc'
        readonly amplitude: Vector; readonly peakArea: Vector; readonly background: Vector
        readonly thresholdTime: Vector; readonly peakTime: Vector
      } // prettier-ignore
}

/** f142, f144. Scalars of 64-bit integers are bigint. */
export interface LogRecord {
  readonly source: string
  readonly timestampNs: bigint
  readonly dtype: VectorType | 'string'
  readonly value: number | bigint | string | Vector | readonly string[]
  /** f142 only, in EPICS codes; absent when the message says NO_CHANGE. */
  readonly alarm?: { readonly severity: number; readonly status: number } | undefined
}

/** al00; severity 0 OK, 1 MINOR, 2 MAJOR, 3 INVALID. */
export interface AlarmRecord {
  readonly source: string
  readonly timestampNs: bigint
  readonly severity: number
  readonly message: string
}

/** ep00, ep01: `status` is the ep01 code (0 UNKNOWN, 1 NEVER_CONNECTED, 2 CONNECTED, 3 DISCONNECTED, 4 DESTROYED, 5 CANCELLED, 6 FINISHED, 7 REMOTE_ERROR). */
export interface ConnectionRecord {
  readonly source: string
  readonly timestampNs: bigint
  readonly status: number
  readonly service: string
}

/** se00, senv: samples of one waveform. */
export interface SamplesRecord {
  readonly source: string
  readonly timestampNs: bigint
  /** ns between samples. */
  readonly timeDelta: number
  readonly channel: number
  readonly messageCounter: bigint
  readonly values: Vector
  /** Ns, one per sample; null when absent. */
  readonly timestamps: Vector | null
  readonly timestampLocation: number
}

/** Tdct: time stamps of a device. */
export interface TimestampsRecord {
  readonly source: string
  readonly timestamps: Vector
  readonly sequence: bigint
}

export interface Dimension {
  readonly length: number
  readonly unit: string
  readonly label: string
  readonly edges: Vector | null
}

/** hs00, hs01. */
export interface HistogramRecord {
  readonly source: string
  readonly timestampNs: bigint
  readonly lastMetadataTimestampNs: bigint
  readonly currentShape: readonly number[]
  readonly dimensions: readonly Dimension[]
  readonly offset: readonly number[] | null
  readonly data: Vector
  readonly errors: Vector | null
  readonly info: string
}

/** NDAr, ADAr, ad00: one frame; `shape` slowest first as in C arrays. */
export interface FrameRecord {
  readonly source: string
  readonly timestampNs: bigint
  readonly uniqueId: number
  readonly shape: readonly number[]
  readonly data: Vector
  /** `c_string` data come as uint8. */
  readonly isText: boolean
  readonly attributes: readonly {
    name: string
    description: string
    source: string
    value: number | bigint | string | Vector | null
  }[]
}

/** da00: one named array of a data group. */
export interface DataArrayVariable {
  readonly name: string
  readonly unit: string | null
  readonly label: string | null
  readonly source: string | null
  readonly axes: readonly string[]
  readonly shape: readonly number[]
  readonly data: Vector
  readonly isText: boolean
}

export interface DataArrayRecord {
  readonly source: string
  readonly timestampNs: bigint
  readonly variables: readonly DataArrayVariable[]
}

/** ns10. */
export interface CacheRecord {
  readonly source: string
  readonly timestampNs: bigint
  readonly ttl: number
  readonly expired: boolean
  readonly value: string
}

/** pu00 (ISIS pulse metadata). Optional fields are null when absent. */
export interface PulseRecord {
  readonly source: string
  readonly messageId: bigint
  readonly timestampNs: bigint
  readonly vetos: number | null
  readonly period: number | null
  readonly protonCharge: number | null
}

/** un00 (ISIS units). */
export interface UnitsRecord {
  readonly source: string
  readonly timestampNs: bigint
  readonly units: string | null
}

/** df12: `spectra[i]` is the spectrum of `detectors[i]`. */
export interface DetectorSpectrumMap {
  readonly spectra: readonly number[]
  readonly detectors: readonly number[]
  readonly spectrumCount: number
}

/** vc00 (ISIS): bits of all vetoes that are on. */
export interface VetoRecord {
  readonly timestampNs: bigint
  readonly vetoes: number
}

/** Of a message of muon digitisers. */
export interface MuonFrame {
  readonly timestampNs: bigint
  /** From 0. */
  readonly period: bigint
  readonly protonsPerPulse: number
  readonly running: boolean
  readonly frameNumber: number
  readonly vetoes: number
}

/** dat2: samples of uint16. */
export interface MuonTraces {
  readonly digitiser: number
  readonly frame: MuonFrame
  /** Samples per second. */
  readonly sampleRate: bigint
  readonly traces: readonly { readonly channel: number; readonly voltage: Vector }[]
}

/** dev2, aev2: one of each per event. */
export interface MuonEvents {
  readonly frame: MuonFrame
  /** ns since the start of the frame, uint32. */
  readonly time: Vector
  /** Uint16. */
  readonly voltage: Vector
  /** Uint32. */
  readonly channel: Vector
  /** Of dev2 the one. */
  readonly digitisers: Uint8Array
  /** Null for dev2. */
  readonly complete: boolean | null
}
