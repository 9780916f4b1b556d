// What the service is asked to count for who looks: a spectrum of each region, the image of a window of times.
import { useEffect, useState } from 'preact/hooks'
import { type HistogramInput, type HistogramRow } from '../wire.js'
import { html, type Markup } from './html.js'
import { forService, type ImageRegion } from './regions.js'
import { post, useSending } from './sending.js'
import { Store, useStore } from './store.js'

/** Ms, as it is typed. */
export interface TimeRange {
  readonly from: number
  readonly to: number
}

interface AskProps {
  readonly row: HistogramRow
  readonly input: HistogramInput
  readonly regions: readonly ImageRegion[]
  readonly bin: number
  /** What is shown has y along its rows. */
  readonly isFlipped: boolean
  /** Of the spectra. */
  readonly span: TimeRange
  /** Of the image; undefined: none is chosen. */
  readonly window: TimeRange | undefined
  readonly onWindow: (window: TimeRange | undefined) => void
  /** The image of a window is asked for: it will come with this key. */
  readonly onImage: (key: string) => void
}

const NS_PER_MS = 1_000_000
const BINS = 200
/** Tells what this tab has asked for from what others have. */
const tab = Math.floor(Math.random() * 0x10000).toString(16).padStart(4, '0') // prettier-ignore

type Purpose = 'regions' | 'window' | 'recent'
/** What this tab has asked for and not stopped. */
const running = new Store<readonly Purpose[]>([])
/** One that was asked for, by any tab, and is over. */
export const isOver = ({ id, state }: HistogramRow): boolean =>
  state === 'FINISHED' && /, (regions|window|recent) \([0-9a-f]{4}\)$/.test(id)
/** Also of an image that was asked for itself. */
const idOf = ({ id }: HistogramRow, purpose: Purpose): string =>
  `${id.replace(/, (window|recent) \([0-9a-f]{4}\)$/, '')}, ${purpose} (${tab})`
const jobOf = (purpose: Purpose): string => `page-${purpose}-${tab}`

const ns = ({ from, to }: TimeRange): [number, number] => [Math.round(from * NS_PER_MS), Math.round(to * NS_PER_MS)]

/** The command that counts it. Undefined: there is nothing to count it of. */
function commandFor(
  purpose: Purpose,
  { row, input, regions, bin, isFlipped, span, window }: AskProps,
  seconds: number
): object | undefined {
  if ((purpose === 'regions' && regions.length === 0) || (purpose === 'window' && window === undefined))
    return undefined
  const { data_topic, source, first_pixel, width, height, start_ms: start } = input
  const common = { data_topic, topic: row.topic, first_pixel, width, height, ...(source !== '' && { source }) }
  const image = { kind: 'image', ...common, order: input.order }
  const histogram = {
    regions: { kind: 'roi', ...common, tof_range: ns(span), num_bins: BINS, regions: regions.map((region) => forService(region, bin, isFlipped)) },
    window: { ...image, tof_window: ns(window ?? span) },
    recent: { ...image, show: 'last', last_s: seconds }
  }[purpose] // prettier-ignore
  return {
    ...{
      cmd: 'start',
      service: 'histogram',
      job_id: jobOf(purpose),
      histograms: [{ id: idOf(row, purpose), ...histogram }]
    },
    // What is recent begins now
    ...(start !== null && purpose !== 'recent' && { start_time: start })
  }
}

const stopOf = (purpose: Purpose): object => ({ cmd: 'stop', service: 'histogram', job_id: jobOf(purpose), wait: true })

export function Ask(props: AskProps): Markup {
  const { row, input, regions, window, onWindow, onImage } = props
  const { isEnabled, isGiven, askToken, isBusy, trouble, run } = useSending()
  const counting = useStore(running)
  const [seconds, setSeconds] = useState(10)
  const act = async (purpose: Purpose, isStart: boolean): Promise<void> => {
    const command = commandFor(purpose, props, seconds)
    const isWell = await run(async () => {
      if (counting.includes(purpose)) await post(stopOf(purpose))
      return isStart && command !== undefined ? post(command) : ''
    })
    const isOn = isStart && isWell
    running.value = [...running.value.filter((one) => one !== purpose), ...(isOn ? [purpose] : [])]
    if (isOn && purpose !== 'regions') onImage(`${row.topic}:${idOf(row, purpose)}`)
  }
  const button = (purpose: Purpose, text: string): Markup => {
    const command = commandFor(purpose, props, seconds)
    const isOff = isEnabled !== true || isBusy || command === undefined
    return html`<div class="row">
        ${
          isEnabled === true && !isGiven
            ? html`<button onClick=${askToken}>Give the token to count</button>`
            : html`<button disabled=${isOff} onClick=${() => void act(purpose, true)}>${text}</button>`
        }
        ${counting.includes(purpose) && html`<button disabled=${isBusy} onClick=${() => void act(purpose, false)}>Stop</button>`}
      </div>
      ${
        command !== undefined &&
        html`<details>
          <summary>What is sent</summary>
          <pre data-ask=${purpose} tabindex="0">${JSON.stringify(command, null, 2)}</pre>
        </details>`
      }`
  }
  const reset = { cmd: 'reset', service: 'histogram', job_id: input.job_id }
  return html`<section class="card">
    <header>
      <h3>Counted on request</h3>
      <span class="grow"></span>
      ${isEnabled === true && isGiven && html`<button disabled=${isBusy} onClick=${() => void run(() => post(reset))} title=${`All histograms of job ${input.job_id} begin at 0`}>Begin at 0</button>`}
    </header>
    ${isEnabled === false && off}
    <p class="muted">
      A spectrum of each region${regions.length === 0 ? ', once there are any' : ''}, the image of a window of times
      (zoom into a spectrum, or type), and that of what came last.
    </p>
    <div class="asked">${button('regions', 'Count the spectra')}</div>
    <div class="asked">
      <${WindowFields} window=${window} onWindow=${onWindow} />
      ${button('window', 'Count this window')}
    </div>
    <div class="asked">
      <${SecondsField} seconds=${seconds} onSeconds=${setSeconds} />
      ${button('recent', 'Count the last seconds')}
    </div>
    ${trouble !== '' && html`<p class="bad-text" role="alert">${trouble}</p>`}
  </section>`
}

const off = html`<p class="muted" data-off>
  The daemon takes no commands from this page (<code>commands</code> in <code>[reporters.web]</code>); what is sent can
  be copied.
</p>`

function SecondsField({ seconds, onSeconds }: { seconds: number; onSeconds: (seconds: number) => void }): Markup {
  const set = (event: Event): void => onSeconds(Math.max(1, Math.min(86_400, Number((event.target as HTMLInputElement).value) || 1)))
  return html`<div class="row">
    <label>last <input type="number" min="1" max="86400" name="last-s" value=${seconds} onInput=${set} /></label>
    <span class="muted">s</span>
  </div>`
} // prettier-ignore

function WindowFields({ window, onWindow }: Pick<AskProps, 'window' | 'onWindow'>): Markup {
  const [typed, setTyped] = useState({ from: '', to: '' })
  useEffect(() => {
    if (window !== undefined) setTyped({ from: String(window.from), to: String(window.to) })
  }, [window])
  const set = (side: keyof TimeRange) => (event: Event) => {
    const next = { ...typed, [side]: (event.target as HTMLInputElement).value }
    setTyped(next)
    const [from, to] = [Number(next.from), Number(next.to)]
    const isRange = next.from !== '' && next.to !== '' && to > from
    if (isRange !== (window !== undefined) || from !== window?.from || to !== window?.to) onWindow(isRange ? { from, to } : undefined)
  }
  const field = (side: keyof TimeRange): Markup =>
    html`<label>${side} <input type="number" min="0" step="any" name=${`tof-${side}`} value=${typed[side]} onInput=${set(side)} /></label>`
  return html`<div class="row">${field('from')} ${field('to')} <span class="muted">ms</span></div>`
} // prettier-ignore
