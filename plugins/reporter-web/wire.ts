// What the daemon and the page say to each other: types only, for both.

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
  readonly faults: readonly { readonly plugin: string; readonly part: string; readonly method: string; readonly count: number; readonly last_error: string }[] // prettier-ignore
  readonly not_understood: Readonly<Record<string, number>>
}
