// PVs: the newest value of each, how it changed, and whether something is wrong with it.
import { useEffect, useState } from 'preact/hooks'
import { type PvRow } from '../wire.js'
import { Chart, Sparkline } from './chart.js'
import { age, valueText } from './format.js'
import { html, type Markup } from './html.js'
import { Empty, Pill } from './parts.js'
import { hearTopic } from './state.js'
import { now, useStore } from './store.js'

/** Rows drawn at once; the search finds the others. */
const SHOWN = 200
const KEPT = 600

const severities = ['no alarm', 'minor', 'major', 'invalid'] as const
const levels = ['good', 'warn', 'bad', 'bad'] as const
/** Codes of ep01. */
const connections = ['unknown', 'never connected', 'connected', 'disconnected', 'destroyed', 'cancelled', 'finished', 'error'] // prettier-ignore

type Known = ReadonlyMap<string, PvRow>

/** What has changed carries the last points only: they join those that are here. */
function merged(known: Known, rows: readonly PvRow[], isAll: boolean): Known {
  const next = new Map(isAll ? [] : known)
  for (const row of rows) {
    const before = known.get(row.name)?.history ?? []
    const from = row.history[0]?.[0] ?? Infinity
    const history = [...before.filter(([at]) => at < from), ...row.history].slice(-KEPT)
    next.set(row.name, { ...row, history })
  }
  return next
}

function Row({
  row,
  nowMs,
  chosen,
  choose
}: {
  row: PvRow
  nowMs: number
  chosen: boolean
  choose: () => void
}): Markup {
  // prettier-ignore
  const { severity, connection } = row
  const isOff = connection !== null && connection !== 2
  return html`<tr class=${chosen ? 'chosen' : ''} data-pv=${row.name}>
    <td class="wrap"><button class="link" onClick=${choose} aria-expanded=${chosen}>${row.name}</button></td>
    <td class="num value">${valueText(row.value)} <small>${row.unit}</small></td>
    <td>
      ${severity === null ? '' : html`<${Pill} level=${levels[severity] ?? 'bad'}>${severities[severity] ?? severity}<//>`}
    </td>
    <td>${isOff ? html`<${Pill} level="bad">${connections[connection] ?? connection}<//>` : ''}</td>
    <td class="extra"><${Sparkline} history=${row.history.slice(-60)} /></td>
    <td class="num">${row.time_ms === 0 ? '' : age(row.time_ms, nowMs)}</td>
    <td class="muted extra">${row.topic}</td>
  </tr>`
}

function Strip({ row }: { row: PvRow }): Markup {
  const values = row.history.map(([, value]) => value)
  return html`<section class="card">
    <header>
      <h3>${row.name}</h3>
      <span class="muted">the last ${values.length} values${row.alarm === '' ? '' : `, ${row.alarm}`}</span>
    </header>
    ${values.length < 2 ? html`<p class="muted">Not enough numbers yet.</p>` : html`<${Chart} x=${row.history.map(([at]) => at / 1000)} curves=${[{ label: row.name, values }]} xLabel="" yLabel=${row.unit} time=${true} />`}
  </section>`
}

export function Pvs({ rest }: { rest: readonly string[] }): Markup {
  const [known, setKnown] = useState<Known>(new Map())
  const [filter, setFilter] = useState(rest[0] ?? '')
  const [chosen, setChosen] = useState('')
  const nowMs = useStore(now)
  useEffect(
    () =>
      hearTopic('pvs', (data) => {
        const { all, rows } = data as { all: boolean; rows: readonly PvRow[] }
        setKnown((old) => merged(old, rows, all))
      }),
    [] // prettier-ignore
  )
  if (known.size === 0)
    return html`<${Empty} title="No value has come yet"
      ><p>Forward PVs, or name topics with f142 or f144 in <code>reporters.web.pv_topics</code>:</p>
      <pre>
nexstream start forwarder 'streams=[{"channel": "SE:TEMP", "converter": "f144", "topic": "sample_env"}]'</pre>
    <//>`
  const wanted = filter.toLowerCase()
  const found = [...known.values()].filter(({ name }) => name.toLowerCase().includes(wanted))
  const rows = found.toSorted((a, b) => (b.severity ?? 0) - (a.severity ?? 0) || (a.name < b.name ? -1 : 1))
  const row = known.get(chosen)
  return html` <section class="card row controls">
      <input
        type="search"
        placeholder="Search PVs ( / )"
        aria-label="Search PVs"
        value=${filter}
        onInput=${(event: Event) => setFilter((event.target as HTMLInputElement).value)}
      />
      <span class="muted"
        >${found.length} of ${known.size}${found.length > SHOWN ? `, the first ${SHOWN} shown` : ''}</span
      >
    </section>
    ${row !== undefined && html`<${Strip} row=${row} key=${row.name} />`}
    <section class="card">
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>name</th>
              <th class="num">value</th>
              <th>alarm</th>
              <th></th>
              <th class="extra">last 60</th>
              <th class="num">age</th>
              <th class="extra">topic</th>
            </tr>
          </thead>
          <tbody>
            ${rows.slice(0, SHOWN).map((one) => html`<${Row} row=${one} nowMs=${nowMs} chosen=${one.name === chosen} choose=${() => setChosen(one.name === chosen ? '' : one.name)} key=${one.name} />`)}
          </tbody>
        </table>
      </div>
    </section>`
}
