// Jobs: what runs and what has ended, and of each what it has taken and what it has not.
import { useEffect, useState } from 'preact/hooks'
import { getJson } from './api.js'
import { age, baseName, number, scaled, text, whole, words } from './format.js'
import { type JobRow } from '../wire.js'
import { html, type Markup } from './html.js'
import { history, overview } from './state.js'
import { now, useStore } from './store.js'
import { Empty, Pill } from './parts.js'
import { Funnel } from './funnel.js'
import { post, useSending } from './sending.js'

type Rows = readonly (readonly [string, ...number[]])[]

const levelOf = (job: JobRow): string => {
  const state = text(job['state'])
  if (state === 'failed' || job['verdict'] === 'lost') return 'bad'
  if (job['verdict'] === 'warnings') return 'warn'
  return state === 'done' ? 'idle' : 'good'
}

/** How much of what the job is for. */
function amount(job: JobRow): string {
  if (job['file_bytes'] !== undefined)
    return `${whole(number(job['written']))} messages, ${scaled(number(job['file_bytes']), 'B')}`
  if (job['events'] !== undefined) return `${scaled(number(job['events']))} events`
  if (job['messages'] !== undefined) return `${whole(number(job['messages']))} messages`
  return ''
}

export function JobTable({ jobs, chosen }: { jobs: readonly JobRow[]; chosen?: string | undefined }): Markup {
  const nowMs = useStore(now)
  return html`<div class="scroll">
    <table class="jobs">
      <thead>
        <tr>
          <th>job</th>
          <th>state</th>
          <th class="extra">for</th>
          <th>what</th>
          <th class="num">amount</th>
          <th class="num extra">behind</th>
        </tr>
      </thead>
      <tbody>
        ${jobs.map((job) => {
          const id = text(job['job_id'])
          const began = Date.parse(text(job['started']))
          const end = job['ended'] === null ? nowMs : Date.parse(text(job['ended']))
          const href = `#/jobs/${encodeURIComponent(id)}`
          return html`<tr class=${id === chosen ? 'chosen' : ''} data-job=${id}>
            <td>
              <a href=${href}><b>${id}</b></a
              ><br /><span class="muted">${text(job['service'])}</span>
            </td>
            <td><${Pill} level=${levelOf(job)}>${text(job['state'])}<//></td>
            <td class="extra">${age(began, end)}</td>
            <td class="wrap">
              ${job['file_name'] === undefined ? text(job['message']) : baseName(text(job['file_name']))}
            </td>
            <td class="num">${amount(job)}</td>
            <td class="num extra">${job['behind'] === undefined ? '' : whole(number(job['behind']))}</td>
          </tr>`
        })}
      </tbody>
    </table>
  </div>`
}

interface Heading {
  readonly name: string
  readonly num?: boolean
}

/** A table of its own card; nothing for no rows. */
const listed = (title: string, columns: readonly Heading[], rows: readonly Markup[]): Markup =>
  rows.length > 0 &&
  html`<section class="card">
    <h3>${title}</h3>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            ${columns.map(({ name, num }) => html`<th class=${num === true ? 'num' : ''}>${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
  </section>`

const streamRow = ([path, written = 0]: Rows[number]): Markup =>
  html`<tr class=${written === 0 ? 'silent' : ''}>
    <td class="wrap">${path}</td>
    <td class="num">${written === 0 ? 'silent' : whole(written)}</td>
  </tr>`

const topicRow = ([topic, messages = 0, bad = 0]: Rows[number]): Markup =>
  html`<tr>
    <td>${topic}</td>
    <td class="num">${whole(messages)}</td>
    <td class=${`num ${bad > 0 ? 'bad-text' : ''}`}>${whole(bad)}</td>
  </tr>`

const histogramRow = (one: JobRow): Markup =>
  html`<tr>
    <td>${text(one['id'])}</td>
    <td>${text(one['topic'])}</td>
    <td>${text(one['state'])}</td>
    <td class="num">${whole(number(one['sum']))}</td>
    <td class="num">${scaled(number(one['rate']))}/s</td>
  </tr>`

/** Silent streams first: those are what somebody must look at. */
function StreamTable({ job }: { job: JobRow }): Markup {
  const streams = ((job['streams'] ?? []) as Rows).toSorted((a, b) => (a[1] ?? 0) - (b[1] ?? 0))
  const topics = (job['topics'] ?? []) as Rows
  const histograms = (job['histograms'] ?? []) as readonly JobRow[]
  const num = true
  return html`
    ${listed('Streams', [{ name: 'group' }, { name: 'written', num }], streams.map(streamRow))}
    ${listed('Topics', [{ name: 'topic' }, { name: 'messages', num }, { name: 'bad', num }], topics.map(topicRow))}
    ${listed(
      'Histograms',
      [{ name: 'id' }, { name: 'topic' }, { name: 'state' }, { name: 'counts', num }, { name: 'rate', num }],
      histograms.map(histogramRow)
    )}
  `
}

const shown = ['message', 'file_name', 'started', 'ended', 'start_time', 'stop_time', 'phase', 'verdict', 'attempt']

/** Asked twice: what has ended does not go on. Not there where the daemon takes no commands from the page. */
function StopJob({ job }: { job: JobRow }): Markup {
  const { isEnabled, isGiven, askToken, isBusy, trouble, run } = useSending()
  const [isMeant, setMeant] = useState(false)
  if (isEnabled !== true) return null
  const stop = { cmd: 'stop', service: text(job['service']), job_id: text(job['job_id']) }
  const press = (): void => {
    if (!isGiven) askToken()
    else if (!isMeant) setMeant(true)
    else void run(() => post(stop)).then(() => setMeant(false))
  }
  return html`<span class="grow"></span>
    ${trouble !== '' && html`<span class="bad-text" role="alert">${trouble}</span>`}
    ${isMeant && html`<button onClick=${() => setMeant(false)}>No</button>`}
    <button class=${isMeant ? 'main' : ''} disabled=${isBusy} onClick=${press} data-stop>
      ${isMeant ? 'Stop it now' : 'Stop'}
    </button>`
}

/** The time zone of the browser is that of the person. */
const localMinute = (ms: number): string =>
  new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)

/** Another end for a running job. Not there where the daemon takes no commands from the page, or the service knows no stop time. */
function StopTime({ job }: { job: JobRow }): Markup {
  const { isEnabled, isGiven, askToken, isBusy, trouble, run } = useSending()
  const [at, setAt] = useState('')
  const [told, setTold] = useState('')
  if (isEnabled !== true || job['service'] !== 'filewriter') return null
  const send = (event: Event): void => {
    event.preventDefault()
    if (!isGiven) return askToken()
    const stop = at === '' ? null : new Date(at).toISOString()
    const config = { cmd: 'config', service: 'filewriter', job_id: text(job['job_id']), stop_time: stop }
    void run(() => post(config)).then((isDone) =>
      setTold(!isDone ? '' : stop === null ? 'runs until it is stopped' : 'set')
    )
  }
  return html`<form class="row stop-time" onSubmit=${send}>
    <label
      >stops at
      <input
        type="datetime-local"
        name="stop-time"
        value=${at}
        min=${localMinute(Date.now())}
        onInput=${(event: Event) => setAt((event.target as HTMLInputElement).value)}
    /></label>
    ${[10, 60].map((minutes) => html`<button type="button" onClick=${() => setAt(localMinute(Date.now() + minutes * 60_000 + 59_999))}>in ${minutes} min</button>`)}
    <button type="submit" disabled=${isBusy}>${at === '' ? 'No stop time' : 'Set'}</button>
    ${told !== '' && html`<span class="muted" role="status">${told}</span>`}
    ${trouble !== '' && html`<span class="bad-text" role="alert">${trouble}</span>`}
  </form>`
}

function Detail({ job }: { job: JobRow }): Markup {
  const view = useStore(overview)
  const timed = useStore(history)
  const id = text(job['job_id'])
  const funnel = view?.funnels.find((one) => one.id === id)
  return html`<div class="detail">
    <section class="card">
      <header>
        <h3>${id}</h3>
        ${job['ended'] === null && html`<${StopJob} job=${job} key=${id} />`}
      </header>
      <dl>
        ${shown
          .filter((key) => job[key] !== undefined && job[key] !== null && job[key] !== '')
          .map(
            (key) =>
              html`<dt>${words(key)}</dt>
                <dd class="wrap">${text(job[key])}</dd>`
          )}
      </dl>
      ${job['ended'] === null && html`<${StopTime} job=${job} key=${`${id} end`} />`}
    </section>
    ${funnel !== undefined && html`<${Funnel} funnel=${funnel} history=${timed} />`}
    <${StreamTable} job=${job} />
  </div>`
}

export function Jobs({ rest }: { rest: readonly string[] }): Markup {
  const view = useStore(overview)
  const [id] = rest
  const [detail, setDetail] = useState<JobRow | undefined>(undefined)
  useEffect(() => {
    setDetail(undefined)
    if (id === undefined) return
    const stop = new AbortController()
    const look = (): void =>
      void getJson<JobRow>(`/api/jobs/${encodeURIComponent(id)}`, stop.signal).then(setDetail, () => undefined)
    look()
    const timer = setInterval(look, 2000)
    return () => {
      clearInterval(timer)
      stop.abort()
    }
  }, [id])
  if (view === undefined) return null
  if (view.jobs.length === 0)
    return html`<${Empty} title="No job runs, and none has ended lately">
      <p>A job begins with a <code>start</code> command on the command topic:</p>
      <pre>nexstream start filewriter file_name=run42.nxs nexus_structure=@structure.json</pre>
    <//>`
  return html`<section class="card"><${JobTable} jobs=${view.jobs} chosen=${id} /></section>
    ${detail !== undefined && html`<${Detail} job=${detail} />`}`
}
