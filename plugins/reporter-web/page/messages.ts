// Messages: what lies on a topic, one by one. Nothing is read until somebody asks.
import { useEffect, useState } from 'preact/hooks'
import { type MessagePage, type MessageRow, type MessageView, type Places, type TopicView } from '../wire.js'
import { useAnswer } from './answer.js'
import { getJson } from './api.js'
import { moment, scaled, whole } from './format.js'
import { html, type Markup } from './html.js'
import { Empty } from './parts.js'
import { bytesOf, hexLines, Tree } from './tree.js'

const ROWS = 50

/** What is paged through: a stretch of the topic, and where each page began. */
interface Paging {
  readonly title: string
  readonly page: MessagePage
  readonly to: Places | undefined
  readonly begins: readonly Places[]
}

const inWords = (places: Places): string =>
  Object.entries(places)
    .map(([partition, offset]) => `${partition}:${offset}`)
    .join(',')
const placesOf = ({ partitions }: TopicView, which: 'low' | 'high' | 'since'): Places =>
  Object.fromEntries(partitions.map((one) => [one.partition, one[which] ?? one.high]))
const total = (from: Places, to: Places): number =>
  Object.entries(to).reduce((sum, [partition, offset]) => sum + offset - (from[Number(partition)] ?? offset), 0)

const path = (topic: string, rest = ''): string => `/api/topics/${encodeURIComponent(topic)}${rest}`

function Message({ topic, row }: { topic: string; row: MessageRow }): Markup {
  const view = useAnswer<MessageView>(path(topic, `/messages/${row.partition}/${row.offset}`))
  if (typeof view === 'string') return html`<p class="bad-text">${view}</p>`
  if (view === undefined) return html`<p class="muted">Reading …</p>`
  const bytes = bytesOf(view.head)
  return html`<div class="message" data-message=${row.offset}>
    <div class="tree">
      ${view.error === null ? html`<${Tree} name=${view.schema ?? 'value'} value=${view.tree} open=${true} />` : html`<p class="bad-text">${view.error}</p>`}
    </div>
    <div>
      <pre class="hex" tabindex="0" aria-label="bytes">${hexLines(bytes)}</pre>
      ${bytes.length < (view.bytes ?? 0) && html`<p class="muted">the first ${whole(bytes.length)} of ${whole(view.bytes ?? 0)} bytes</p>`}
    </div>
  </div>`
}

function Row({ topic, row, chosen, choose }: { topic: string; row: MessageRow; chosen: boolean; choose: () => void }): Markup {
  return html`<tr class=${chosen ? 'chosen' : ''} data-offset=${`${row.partition}:${row.offset}`}>
      <td class="wrap"><button class="link" aria-expanded=${chosen} onClick=${choose}>${moment(row.time_ms)}</button></td>
      <td class="num extra">${row.partition}</td>
      <td class="num">${row.offset}</td>
      <td class="mono">${row.schema ?? ''}</td>
      <td class="wrap">${row.source ?? ''}</td>
      <td class="wrap muted extra">${row.key ?? ''}</td>
      <td class="num">${row.bytes === null ? 'none' : scaled(row.bytes, 'B')}</td>
    </tr>
    ${chosen && html`<tr><td colspan="7"><${Message} topic=${topic} row=${row} /></td></tr>`}`
} // prettier-ignore

function Table({ topic, rows }: { topic: string; rows: readonly MessageRow[] }): Markup {
  const [choice, setChoice] = useState({ rows, id: '' })
  // Of another page nothing is chosen
  const chosen = choice.rows === rows ? choice.id : ''
  const columns = [
    ['time'],
    ['partition', 'num extra'],
    ['offset', 'num'],
    ['schema'],
    ['source'],
    ['key', 'extra'],
    ['size', 'num']
  ]
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${columns.map(([name, kind = '']) => html`<th class=${kind}>${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map((row) => {
          const id = `${row.partition}:${row.offset}`
          const choose = (): void => setChoice({ rows, id: id === chosen ? '' : id })
          return html`<${Row} topic=${topic} row=${row} chosen=${id === chosen} choose=${choose} key=${id} />`
        })}
      </tbody>
    </table>
  </div>`
}

/** Asks of one topic, and what came of it. */
function useMessages(topic: string, schema: string) {
  const [shown, setShown] = useState<Paging | undefined>(undefined)
  const [doing, setDoing] = useState('')
  const [error, setError] = useState('')
  /** Ends a recording. */
  const [enough, setEnough] = useState<(() => void) | undefined>(undefined)
  useEffect(() => setShown(undefined), [topic])

  const page = (from: Places | undefined, to: Places | undefined): Promise<MessagePage> => {
    const query = new URLSearchParams({ n: String(ROWS), schema })
    if (from !== undefined) query.set('from', inWords(from))
    if (to !== undefined) query.set('to', inWords(to))
    return getJson(path(topic, `/messages?${query.toString()}`))
  }
  const run = async (what: string, work: () => Promise<Paging>): Promise<void> => {
    setDoing(what)
    setError('')
    try {
      setShown(await work())
    } catch (problem) {
      setError((problem as Error).message)
    }
    setDoing('')
  }
  const stretch = async (title: string, from: Places, to: Places): Promise<Paging> => ({
    title: `${title}: ${whole(total(from, to))} messages`,
    page: await page(from, to),
    to,
    begins: [from]
  })
  const latest = (): Promise<void> =>
    run('reading', async () => ({ title: 'The last messages', page: await page(undefined, undefined), to: undefined, begins: [] }))
  const record = (seconds: number): Promise<void> =>
    run('reading', async () => {
      // Kafka keeps them: nothing is read meanwhile
      const from = placesOf(await getJson<TopicView>(path(topic)), 'high')
      const began = Date.now()
      setDoing(`recording ${seconds} s`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, seconds * 1000)
        setEnough(() => () => {
          clearTimeout(timer)
          resolve()
        })
      })
      setEnough(undefined)
      setDoing('reading')
      const took = Math.round((Date.now() - began) / 1000)
      return stretch(`Recorded in ${took} s`, from, placesOf(await getJson<TopicView>(path(topic)), 'high'))
    })
  const since = (ms: number): Promise<void> =>
    run('reading', async () => {
      const view = await getJson<TopicView>(path(topic, `?since=${ms}`))
      return stretch(`Since ${moment(ms)}`, placesOf(view, 'since'), placesOf(view, 'high'))
    })
  const turn = (begins: readonly Places[]): Promise<void> =>
    run('reading', async () => ({ ...shown!, page: await page(begins.at(-1), shown!.to), begins }))
  return { shown, doing, error, enough, latest, record, since, turn }
} // prettier-ignore

function Pages({ shown, busy, turn }: { shown: Paging; busy: boolean; turn: (begins: readonly Places[]) => void }): Markup {
  const { page, begins } = shown
  if (begins.length === 0) return null
  const forward = (): void => void (page.next !== null && turn([...begins, page.next]))
  return html`<span class="row">
    <button disabled=${busy || begins.length < 2} onClick=${() => turn(begins.slice(0, -1))}>Back</button>
    <span class="muted">page ${begins.length}</span>
    <button disabled=${busy || page.next === null} onClick=${forward}>Next</button>
  </span>`
} // prettier-ignore

const nothing = html`<${Empty} title="No topic to look at">
  <p>Name topics in <code>reporters.web.message_topics</code>; those that this daemon works with are there by themselves.</p>
<//>` // prettier-ignore

const valueOf = (event: Event): string => (event.target as HTMLInputElement).value

export function Messages({ rest }: { rest: readonly string[] }): Markup {
  const list = useAnswer<{ topics: string[] }>('/api/topics')
  const [schema, setSchema] = useState('')
  const [seconds, setSeconds] = useState(5)
  const [time, setTime] = useState('')
  // Without an answer there is none to look at
  const topics = typeof list === 'string' ? [] : list?.topics
  const topic = topics?.find((one) => one === rest[0]) ?? topics?.[0] ?? ''
  const { shown, doing, error, enough, latest, record, since, turn } = useMessages(topic, schema)
  if (topics === undefined) return null
  if (topics.length === 0) return nothing
  const busy = doing !== ''
  const go = (event: Event): void => void (location.hash = `#/messages/${encodeURIComponent(valueOf(event))}`)
  return html`
    <section class="card row controls">
      <label>topic <select value=${topic} onChange=${go}>${topics.map((one) => html`<option>${one}</option>`)}</select></label>
      <label>schema <input name="schema" size="5" maxlength="4" placeholder="any" value=${schema} onInput=${(event: Event) => setSchema(valueOf(event).trim())} /></label>
      <button class="main" disabled=${busy} onClick=${latest}>Latest</button>
      <span class="row">${enough === undefined ? html`<button disabled=${busy} onClick=${() => record(seconds)}>Record</button>` : html`<button onClick=${enough}>Enough</button>`}
        <label><input type="number" name="seconds" min="1" max="600" value=${seconds} onInput=${(event: Event) => setSeconds(Math.max(1, Math.min(600, Number(valueOf(event)) || 1)))} /> s</label></span>
      <span class="row"><button disabled=${busy || Number.isNaN(Date.parse(time))} onClick=${() => since(Date.parse(time))}>Since</button>
        <input type="datetime-local" step="1" aria-label="Since when (local time)" value=${time} onInput=${(event: Event) => setTime(valueOf(event))} /></span>
      <span class="muted" role="status">${busy ? `${doing} …` : ''}</span>
    </section>
    ${error !== '' && html`<p class="banner bad" role="alert">${error}</p>`}
    ${shown === undefined && error === '' && html`<${Empty} title="Nothing is read until you ask">
      <p>Latest shows the last ${ROWS} messages of the topic. Record waits, and then pages through what came meanwhile.</p><//>`}
    ${shown !== undefined && html`<section class="card" data-rows=${shown.page.rows.length}>
      <header><h3>${shown.title}</h3>
        ${shown.page.cut && html`<span class="muted">cut: that is more than is read at once</span>`}
        <span class="grow"></span><${Pages} shown=${shown} busy=${busy} turn=${turn} /></header>
      ${shown.page.rows.length === 0 ? html`<p class="muted">No message${schema === '' ? '' : ` of ${schema}`}.</p>` : html`<${Table} topic=${topic} rows=${shown.page.rows} />`}
    </section>`}
  `
} // prettier-ignore
