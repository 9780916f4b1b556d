// Metrics as services, sources and reporters give them.

/** One number for Prometheus and other monitoring; not part of the JSON status. */
export interface Metric {
  /** With prefix `nexstream_`, base units, `_total` for counters. */
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly value: number
  /** Of low cardinality: never one per PV. */
  readonly labels?: Readonly<Record<string, string>>
}

/** The metrics a source, service or reporter may give, by name; docs/reference/metrics.md is made from these tables, and tests hold both together. */
export type MetricTable = Readonly<Record<string, MetricKind>>
export interface MetricKind {
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly labels?: readonly string[]
}

/** Makes the metrics of a table: by name, with a value and, where the table names some, labels. */
export function metricsFrom<T extends MetricTable>(
  table: T
): (name: keyof T & string, value: number, labels?: Metric['labels']) => Metric {
  return (name, value, labels) => {
    const { help, type } = table[name] as MetricKind
    return { name, help, type, value, ...(labels && { labels }) }
  }
}
