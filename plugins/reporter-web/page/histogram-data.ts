// Histograms as the daemon gives them: a list that changes, and numbers that are fetched when the last ones are drawn.
import { useEffect, useState } from 'preact/hooks'
import { type HistogramHead, type HistogramRow } from '../wire.js'
import { getBytes } from './api.js'
import { hearTopic } from './state.js'

export interface HistogramNumbers {
  readonly head: HistogramHead
  readonly values: Uint32Array | Float32Array
}

export function useHistograms(): readonly HistogramRow[] | undefined {
  const [rows, setRows] = useState<readonly HistogramRow[] | undefined>(undefined)
  useEffect(() => hearTopic('histograms', (data) => setRows(data as readonly HistogramRow[])), [])
  return rows
}

function parse(body: ArrayBuffer): HistogramNumbers {
  const length = new DataView(body).getUint32(0, true)
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 4, length))) as HistogramHead
  const start = 4 + length
  return { head, values: head.type === 'uint32' ? new Uint32Array(body, start) : new Float32Array(body, start) }
}

/**
 * The newest numbers of a histogram: one request at a time, so a slow browser slows itself only.
 * `layout` is `GRID:VIEW` of a detector, or empty: as they came.
 */
export function useNumbers(row: HistogramRow | undefined, bin = 1, layout = ''): HistogramNumbers | undefined {
  const [numbers, setNumbers] = useState<HistogramNumbers | undefined>(undefined)
  const [busy, setBusy] = useState(false)
  const isShown = numbers !== undefined && numbers.head.key === row?.key && numbers.head.layout === layout
  const have = isShown ? numbers.head.version : 0
  useEffect(() => {
    if (row === undefined || busy || row.version <= have) return
    setBusy(true)
    getBytes(`/api/histograms/${encodeURIComponent(row.key)}?bin=${bin}&layout=${layout}`)
      .then((body) => setNumbers(parse(body)))
      .catch(() => undefined) // Gone meanwhile, or no connection: which the page says
      .finally(() => setBusy(false))
  }, [row?.key, row?.version, busy, bin, layout])
  return isShown ? numbers : undefined
}
