// What the daemon and the page say to each other: types, for both.

/** What `nexstream jobs` shows of a job. */
export type JobRow = Readonly<Record<string, unknown>>

export interface FunnelLoss {
  readonly reason: string
  readonly count: number
  /** Nobody misses these: other sources of the topic, what lies outside of the window. */
  readonly expected: boolean
}
export interface FunnelStage {
  readonly name: string
  readonly count: number
  /** Lost on the way to this stage. */
  readonly losses: readonly FunnelLoss[]
  /** Come in on the way to this stage. With the losses, this is why the count is another than that of the stage before. */
  readonly gains: readonly { readonly reason: string; readonly count: number }[]
}
export interface FunnelView {
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly stages: readonly FunnelStage[]
}

export interface ServiceCard {
  readonly id: string
  readonly state: string
  readonly level: 'good' | 'warn' | 'bad' | 'idle'
  /** Figures in the order of their weight. */
  readonly figures: readonly { readonly name: string; readonly value: number | string; readonly unit: string }[]
  readonly trouble: string | null
}
/** A source of events, with its counts since the job that hears it began. */
export interface RateRow {
  readonly key: string
  readonly source: string
  /** Topic, or what it is made of. */
  readonly from: string
  /** Job that hears it. */
  readonly by: string
  readonly pulses: number
  readonly events: number
  /** Of its last pulse, ms since 1970; null: not known. */
  readonly last_ms: number | null
  readonly behind_s: number | null
}

export interface OverviewView {
  readonly service_id: string
  readonly version: string
  readonly host: string
  readonly state: string
  readonly kafka: boolean
  readonly uptime_s: number
  readonly interval_ms: number
  readonly time: string
  readonly services: readonly ServiceCard[]
  readonly funnels: readonly FunnelView[]
  readonly jobs: readonly JobRow[]
  readonly rates: readonly RateRow[]
  readonly diagnostics: readonly DiagnosticsView[]
  readonly faults: readonly { readonly plugin: string; readonly part: string; readonly method: string; readonly count: number; readonly last_error: string }[] // prettier-ignore
  readonly not_understood: Readonly<Record<string, number>>
}

/** A detector that a histogram belongs to: so many pixels along each axis. */
export interface GridRow {
  readonly id: number
  readonly name: string
  readonly size: readonly [x: number, y: number, z: number]
  /** Its first pixel, where they follow each other; else null. */
  readonly first: number | null
  /** Every cell of the histogram is a pixel of it: nothing is left out. */
  readonly isWhole: boolean
}
/** Along which axes one looks at a grid; the counts along the third are summed. */
export type GridView = 'xy' | 'xz' | 'yz'

/** Whose events an image has, and of which pixels: more can be counted of them. */
export interface HistogramInput {
  readonly data_topic: string
  readonly source: string
  readonly first_pixel: number
  /** In pixels along x, which run first, and y. */
  readonly width: number
  readonly height: number
  readonly order: 'yx' | 'xy'
  readonly job_id: string
  /** Null: from when its job was started. */
  readonly start_ms: number | null
}

/** The newest message of one histogram. */
export interface HistogramRow {
  readonly key: string
  readonly topic: string
  readonly id: string
  readonly source: string
  readonly schema: string
  /** Grows with each message. */
  readonly version: number
  readonly time_ms: number
  readonly shape: readonly number[]
  readonly axes: readonly { readonly label: string; readonly unit: string }[]
  readonly state: string
  readonly sum: number | null
  /** Events per second. */
  readonly rate: number | null
  /** What this daemon counts in it, if it is an image; null: it is another's, or something else. */
  readonly input: HistogramInput | null
  /** Ends of its axis of times in ns, where this daemon counts it. */
  readonly tof_range: readonly [from: number, to: number] | null
  /** Of the detectors that it belongs to. */
  readonly grids: readonly GridRow[]
}

/** What stands before the numbers of a histogram. */
export interface HistogramHead extends HistogramRow {
  readonly type: 'float32' | 'uint32'
  readonly min: number
  readonly max: number
  /** So many cells along each axis are one. */
  readonly bin: number
  /** `GRID:VIEW` that the numbers are laid out by; empty: they are as they came. */
  readonly layout: string
  /** Of each axis; null for those that are whole numbers from 0. */
  readonly edges: readonly (readonly number[] | null)[]
}

/** The newest value of a PV, and its last ones. */
export interface PvRow {
  readonly name: string
  readonly topic: string
  readonly schema: string
  readonly value: number | string | null
  readonly unit: string
  /** EPICS severity; null: nothing is known. */
  readonly severity: number | null
  readonly alarm: string
  /** Code of ep01; null: nothing is known. */
  readonly connection: number | null
  readonly time_ms: number
  /** Time in ms and value, oldest first; of those that are numbers. */
  readonly history: readonly (readonly [time: number, value: number])[]
}

/** Another program, by its newest heartbeat. */
export interface PeerRow {
  readonly name: string
  readonly version: string
  readonly service_id: string
  readonly host: string
  readonly topic: string
  /** Of its heartbeats; 0: it does not say. */
  readonly interval_ms: number
  /** By Kafka. */
  readonly time_ms: number
  readonly state: string
  readonly work: string
}

/** A topic as it stands: of each partition the first offset and the one that the next message gets. */
export interface TopicView {
  readonly topic: string
  readonly partitions: readonly {
    readonly partition: number
    readonly low: number
    readonly high: number
    /** Of the first message since the time that was asked for; `high` when there is none. */
    readonly since?: number
  }[]
}
/** Offset of each partition. */
export type Places = Readonly<Record<number, number>>

export interface MessageRow {
  readonly partition: number
  readonly offset: number
  readonly time_ms: number
  readonly key: string | null
  /** Id of the schema, or `json`; null: neither. */
  readonly schema: string | null
  readonly source: string | null
  /** Of the value; null: there is none. */
  readonly bytes: number | null
}
/** Messages in the order of their times. */
export interface MessagePage {
  readonly rows: readonly MessageRow[]
  /** Where the next page begins; null: this is the last one. */
  readonly next: Places | null
  /** More bytes than are read at once lay between them: what came later is not here. */
  readonly cut: boolean
}
export interface MessageView extends MessageRow {
  /** First bytes of the value, in base64. */
  readonly head: string
  readonly tree: unknown
  /** Why there is no tree. */
  readonly error: string | null
}

/** A file that a job has written or writes. */
export interface FileRow {
  /** Of the job. */
  readonly id: string
  /** Without its folder. */
  readonly name: string
  readonly state: string
  readonly verdict: string | null
  /** ISO 8601; null: it is still being written. */
  readonly ended: string | null
  /** Null: it is not there. */
  readonly bytes: number | null
}

/** How a run stands, as a service tells it by the names that the facility knows. */
export interface DiagnosticsView {
  readonly service: string
  readonly values: readonly (readonly [name: string, value: number])[]
}
