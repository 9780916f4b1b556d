// Files: what the daemon has written, to take away or to look into.
import { useEffect, useRef, useState } from 'preact/hooks'
import { type FileRow } from '../wire.js'
import { useAnswer } from './answer.js'
import { getBytes, token } from './api.js'
import { Chart } from './chart.js'
import { type FileEntry, type FileObject } from './file-protocol.js'
import { FileReading } from './file-reader.js'
import { moment, scaled, whole } from './format.js'
import { html, type Markup } from './html.js'
import { overview } from './state.js'
import { useStore } from './store.js'
import { Empty, Pill } from './parts.js'

const addressOf = ({ id }: FileRow): string => `/api/files/${encodeURIComponent(id)}`
const isReady = ({ ended, bytes }: FileRow): boolean => ended !== null && bytes !== null

/** A link cannot carry the token: then the page fetches the file and hands it over. */
async function take(event: Event, row: FileRow): Promise<void> {
  if (token.value === '') return
  event.preventDefault()
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([await getBytes(addressOf(row))]))
  link.download = row.name
  link.click()
  URL.revokeObjectURL(link.href)
}

function Row({ row, chosen }: { row: FileRow; chosen: boolean }): Markup {
  const level = row.verdict === 'lost' || row.state === 'failed' ? 'bad' : row.verdict === 'warnings' ? 'warn' : 'good'
  return html`<tr class=${chosen ? 'chosen' : ''} data-file=${row.id}>
    <td class="wrap">${isReady(row) ? html`<a href=${`#/files/${encodeURIComponent(row.id)}`}><b>${row.name}</b></a>` : row.name}</td>
    <td class="extra">${row.id}</td>
    <td><${Pill} level=${row.ended === null ? 'idle' : level}>${row.ended === null ? 'being written' : (row.verdict ?? row.state)}<//></td>
    <td class="extra">${row.ended === null ? '' : moment(Date.parse(row.ended))}</td>
    <td class="num">${row.bytes !== null ? scaled(row.bytes, 'B') : row.ended === null ? '' : 'not there'}</td>
    <td>${isReady(row) && html`<a href=${addressOf(row)} download=${row.name} onClick=${(event: Event) => void take(event, row)}>Download</a>`}</td>
  </tr>`
} // prettier-ignore

const join = (path: string, name: string): string => (path === '/' ? `/${name}` : `${path}/${name}`)

interface NodeProps {
  readonly reading: FileReading
  readonly path: string
  readonly entry: FileEntry
  readonly chosen: string
  readonly choose: (path: string) => void
}

/** What a group holds is read when it is opened. */
function Node({ reading, path, entry, chosen, choose }: NodeProps): Markup {
  const [inner, setInner] = useState<FileObject | undefined>(undefined)
  const label = html`<button class="link" aria-current=${path === chosen ? 'true' : undefined} onClick=${() => choose(path)}>${entry.name}</button>
    <span class="short">${entry.about}</span>`
  if (entry.kind !== 'group') return html`<div class="leaf" data-path=${path}>${label}</div>`
  const toggled = (event: Event): void => {
    const { open } = event.currentTarget as HTMLDetailsElement
    if (event.target === event.currentTarget && open && inner === undefined)
      reading.look(path).then(setInner, () => undefined) // Choosing it says why
  }
  return html`<details class="branch" data-path=${path} onToggle=${toggled}>
    <summary>${label}</summary>
    ${inner?.entries.map((one) => html`<${Node} reading=${reading} path=${join(path, one.name)} entry=${one} chosen=${chosen} choose=${choose} key=${one.name} />`)}
    ${(inner?.more ?? 0) > 0 && html`<p class="muted">and ${whole(inner?.more ?? 0)} more</p>`}
  </details>`
} // prettier-ignore

function ObjectView({ object }: { object: FileObject }): Markup {
  const { path, about, attributes, value, curve, error } = object
  return html`<section class="card" data-object=${path}>
    <header><h3 class="mono wrap">${path}</h3><span class="muted">${about}</span></header>
    ${error !== null && html`<p class="bad-text">${error}</p>`}
    ${curve !== null && html`<p class="muted">${whole(curve.points)} values</p>
      <${Chart} x=${curve.x} curves=${[{ label: curve.yLabel, values: curve.y }]} xLabel=${curve.xLabel} yLabel=${curve.yLabel} key=${path} />`}
    ${value !== null && html`<pre class="value-text" tabindex="0">${value}</pre>`}
    ${attributes.length > 0 && html`<dl>${attributes.map(([name, text]) => html`<dt>${name}</dt><dd class="wrap">${text}</dd>`)}</dl>`}
  </section>`
} // prettier-ignore

function Inside({ row }: { row: FileRow }): Markup {
  const reading = useRef<FileReading | undefined>(undefined)
  const [root, setRoot] = useState<FileObject | undefined>(undefined)
  const [object, setObject] = useState<FileObject | undefined>(undefined)
  const [error, setError] = useState('')
  const failed = (problem: Error): void => setError(problem.message)
  useEffect(() => {
    const own = new FileReading()
    reading.current = own
    own.open({ url: addressOf(row), bytes: row.bytes ?? 0, token: token.value }).then((top) => {
      setRoot(top)
      setObject(top)
    }, failed)
    return () => own.close()
  }, [row.id])
  const choose = (path: string): void => void reading.current?.look(path).then(setObject, failed)
  if (error !== '') return html`<p class="banner bad" role="alert">${error}</p>`
  if (root === undefined || reading.current === undefined) return html`<section class="card">Reading ${row.name} …</section>`
  return html`<div class="file">
    <section class="card tree" data-tree>
      <h3><button class="link" onClick=${() => choose('/')}>${row.name}</button></h3>
      ${root.entries.map((entry) => html`<${Node} reading=${reading.current} path=${`/${entry.name}`} entry=${entry} chosen=${object?.path ?? ''} choose=${choose} key=${entry.name} />`)}
    </section>
    <div>${object !== undefined && html`<${ObjectView} object=${object} />`}</div>
  </div>`
} // prettier-ignore

export function Files({ rest }: { rest: readonly string[] }): Markup {
  const jobs = useStore(overview)?.jobs ?? []
  // Another job, or one that has ended, is another list
  const known = jobs.map((job) => `${String(job['job_id'])} ${String(job['ended'])}`).join()
  const answer = useAnswer<{ files: FileRow[] }>('/api/files', known)
  if (answer === undefined) return null
  if (typeof answer === 'string') return html`<${Empty} title="The daemon does not list its files"><p>${answer}</p><//>`
  const { files } = answer
  if (files.length === 0)
    return html`<${Empty} title="No file has been written lately">
      <p>Files of jobs that run, and of the last ones that have ended, are listed here.</p>
      <pre>nexstream start filewriter file_name=run42.nxs nexus_structure=@structure.json</pre><//>`
  const chosen = files.find((row) => row.id === rest[0] && isReady(row))
  return html`<section class="card"><div class="scroll"><table>
      <thead><tr><th>file</th><th class="extra">job</th><th></th><th class="extra">ended</th><th class="num">size</th><th></th></tr></thead>
      <tbody>${files.map((row) => html`<${Row} row=${row} chosen=${row.id === chosen?.id} key=${row.id} />`)}</tbody>
    </table></div></section>
    ${chosen !== undefined && html`<${Inside} row=${chosen} key=${chosen.id} />`}`
} // prettier-ignore
