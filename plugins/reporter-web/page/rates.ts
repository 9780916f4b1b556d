// Rates: what each source sends per second, when it sent last, and how far those who read it are behind.
import { useEffect, useState } from 'preact/hooks'
import { type DiagnosticsView, type HistogramRow, type RateRow } from '../wire.js'
import { Chart, Sparkline } from './chart.js'
import { scaled, span } from './format.js'
import { html, type Markup } from './html.js'
import { Empty, Pill } from './parts.js'
import { hearTopic, history, type Timed } from './state.js'
import { now, useStore } from './store.js'

interface Rates {
  readonly atMs: number
  readonly pulses: number
  readonly events: number
}

/** Services tell of their counts once a second: over less there is no rate. */
const SPAN_MS = 4000

function ratesOf(key: string, timed: readonly Timed[]): readonly Rates[] {
  const points = timed.flatMap(({ view, atMs }) =>
    view.rates.filter((row) => row.key === key).map((row) => ({ row, atMs }))
  )
  return points.flatMap(({ row, atMs }) => {
    const before = points.findLast((one) => one.atMs <= atMs - SPAN_MS)
    if (before === undefined) return []
    const seconds = (atMs - before.atMs) / 1000
    const [pulses, events] = [row.pulses - before.row.pulses, row.events - before.row.events]
    // Another job that begins anew
    return pulses < 0 || events < 0 ? [] : [{ atMs, pulses: pulses / seconds, events: events / seconds }]
  })
}

/** So long after its last pulse a source is silent. */
const SILENT_S = 10
const BEHIND_S = 5

interface RowProps {
  readonly row: RateRow
  readonly rates: readonly Rates[]
  readonly isChosen: boolean
  readonly choose: () => void
}

function Row({ row, rates, isChosen, choose }: RowProps): Markup {
  const nowMs = useStore(now)
  const since = row.last_ms === null ? undefined : (nowMs - row.last_ms) / 1000
  const perSecond = (n: number | undefined): string => (n === undefined ? '' : scaled(n))
  return html`<tr class=${isChosen ? 'chosen' : ''} data-source=${row.source}>
    <td class="wrap">
      <button class="link" onClick=${choose} aria-expanded=${isChosen}>${row.source || '(no name)'}</button>
    </td>
    <td class="num value" data-rate="events">${perSecond(rates.at(-1)?.events)}</td>
    <td class="num" data-rate="pulses">${perSecond(rates.at(-1)?.pulses)}</td>
    <td class="num">
      ${since !== undefined && (since > SILENT_S ? html`<${Pill} level="bad">${span(since)}<//>` : span(since))}
    </td>
    <td class="num">
      ${row.behind_s !== null && (row.behind_s > BEHIND_S ? html`<${Pill} level="warn">${span(row.behind_s)}<//>` : span(row.behind_s))}
    </td>
    <td class="extra">
      <${Sparkline} history=${rates.slice(-60).map(({ atMs, events }) => [atMs, events] as const)} />
    </td>
    <td class="muted extra">${row.from}</td>
    <td class="muted extra">${row.by}</td>
  </tr>`
}

/** Histograms of others say their rate themselves. */
function Others({ rows }: { rows: readonly HistogramRow[] }): Markup {
  const nowMs = useStore(now)
  if (rows.length === 0) return null
  return html`<section class="card">
    <h3>Histograms of other programs</h3>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>histogram</th>
            <th class="num">events/s</th>
            <th class="num">last message</th>
            <th class="extra">topic</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ key, id, source, rate, time_ms: at, topic }) =>
              html`<tr key=${key}>
                <td class="wrap">${id || source}</td>
                <td class="num">${rate === null ? '' : scaled(rate)}</td>
                <td class="num">${span((nowMs - at) / 1000)}</td>
                <td class="muted extra">${topic}</td>
              </tr>`
          )}
        </tbody>
      </table>
    </div>
  </section>`
}

/** The run that is going on, of aggregators and the like. */
function Diagnostics({ service, values }: DiagnosticsView): Markup {
  return html`<section class="card scroll" data-diagnostics=${service}>
    <header>
      <h3>Run</h3>
      <span class="muted">as ${service} tells it</span>
    </header>
    <table>
      <tbody>
        ${values.map(
          ([name, value]) =>
            html`<tr key=${name}>
              <td>${name}</td>
              <td class="num">${scaled(value)}</td>
            </tr>`
        )}
      </tbody>
    </table>
  </section>`
}

function Strip({ row, rates }: { row: RateRow; rates: readonly Rates[] }): Markup {
  const name = row.source || '(no name)'
  const curve = { label: name, values: rates.map(({ events }) => events) }
  return html`<section class="card">
    <header>
      <h3>${name}</h3>
      <span class="muted">events per second, the last minutes</span>
    </header>
    ${
      rates.length < 2
        ? html`<p class="muted">Not enough of it yet.</p>`
        : html`<${Chart}
            x=${rates.map(({ atMs }) => atMs / 1000)}
            curves=${[curve]}
            xLabel=""
            yLabel="events/s"
            time=${true}
          />`
    }
  </section>`
}

const columns = ['source', 'events/s', 'pulses/s', 'last pulse', 'behind', 'last 60', 'from', 'job']
const classOf = (i: number): string => (i === 0 ? '' : i < 5 ? 'num' : 'extra')

export function RatesPage(): Markup {
  const timed = useStore(history)
  const [histograms, setHistograms] = useState<readonly HistogramRow[]>([])
  const [chosen, setChosen] = useState('')
  useEffect(() => hearTopic('histograms', (data) => setHistograms(data as readonly HistogramRow[])), [])
  const view = timed.at(-1)?.view
  if (view === undefined) return null
  const ours = new Set(view.jobs.flatMap((job) => ((job['histograms'] ?? []) as readonly HistogramRow[]).map(({ id, topic }) => `${topic} ${id}`))) // prettier-ignore
  const others = histograms.filter(({ topic, id }) => !ours.has(`${topic} ${id}`))
  if (view.rates.length + view.diagnostics.length + others.length === 0)
    return html`<${Empty} title="Nobody counts events"
      ><p>
        Sources are shown of topics that the histogram service counts, and of detectors whose events are formed here:
      </p>
      <pre>
nexstream start histogram 'histograms=[{"id": "tof", "kind": "tof", "data_topic": "events", "topic": "histograms", "tof_range": [0, 71428571], "num_bins": 100}]'</pre>
    <//>`
  const rows = view.rates.map((row) => ({ row, rates: ratesOf(row.key, timed) }))
  const shown = rows.find(({ row }) => row.key === chosen) ?? rows.toSorted((a, b) => b.row.events - a.row.events)[0]
  return html`
    ${shown !== undefined && html`<${Strip} ...${shown} key=${shown.row.key} />`}
    ${
      rows.length > 0 &&
      html`<section class="card scroll">
        <table class="rates">
          <thead>
            <tr>
              ${columns.map((name, i) => html`<th class=${classOf(i)}>${name}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${rows.map(({ row, rates }) => html`<${Row} row=${row} rates=${rates} isChosen=${row.key === shown?.row.key} choose=${() => setChosen(row.key)} key=${row.key} />`)}
          </tbody>
        </table>
      </section>`
    }
    ${view.diagnostics.map((one) => html`<${Diagnostics} ...${one} key=${one.service} />`)}
    <${Others} rows=${others} />
  `
}
