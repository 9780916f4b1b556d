// The way of the data as a funnel: bars that get shorter, and between them what was lost, and why.
import { type FunnelStage, type FunnelView } from '../wire.js'
import { scaled, whole, words } from './format.js'
import { html, type Markup } from './html.js'
import { type Timed } from './state.js'

/** Per second at each stage, over the last seconds. */
function ratesOf({ id, title }: FunnelView, history: readonly Timed[]): (number | undefined)[] {
  const last = history.at(-1)
  const before = history.at(-6) ?? history[0]
  const find = (timed: Timed | undefined): FunnelView | undefined =>
    timed?.view.funnels.find((one) => one.id === id && one.title === title)
  const [a, b] = [find(before), find(last)]
  if (last === undefined || before === undefined || a === undefined || b === undefined) return []
  const seconds = (last.atMs - before.atMs) / 1000
  return b.stages.map(({ count }, i) =>
    seconds < 0.5 ? undefined : Math.max(0, (count - (a.stages[i]?.count ?? 0)) / seconds)
  )
}

/** Where the losses of a reason come from, in words. */
const hints: Readonly<Record<string, string>> = {
  other_source: 'other sources of the same topics: nobody asked for them',
  other_schema: 'other kinds of messages on the same topics: nobody asked for them',
  before_start: 'older than the start of the job',
  before_window: 'older than the start of the job',
  after_stop: 'later than the stop time',
  after_window: 'later than the stop time',
  repeated: 'the same time once more',
  superseded: 'replaced by a newer value while Kafka was away or slow',
  lost: 'given up: Kafka did not take them',
  older: 'older than the value before',
  ahead: 'ahead of our clock',
  convert_errors: 'values that the schema cannot carry',
  repeated_values: 'the last value once more, as the stream asks for',
  beside_values: 'alarms, connections, first values and further streams of the same PV',
  taken_by_several: 'messages that several groups of the file take',
  no_message: 'waits, or there is nothing to say of it in that schema',
  missing: 'missing in the sequence of packets: lost before they came here',
  kernel: 'the kernel had no room for them',
  queue: 'the ring behind the socket had no room for them',
  faults: 'packets that the family could not take',
  buffer: 'events that had no room while Kafka was away',
  kafka: 'events that Kafka did not take',
  events_of_packets: 'a packet has many',
  no_event: 'packets without events',
  on_the_way: 'not there yet'
}

function stageView({ name, count, losses, gains }: FunnelStage, most: number, rate: number | undefined): Markup {
  const width = most === 0 ? 0 : Math.max(count > 0 ? 0.6 : 0, (100 * count) / most)
  return html`
    ${losses.map(
      ({ reason, count: lost, expected }) =>
        html`<li class=${`loss ${expected ? 'expected' : ''}`} title=${hints[reason] ?? ''}>
          <span class="loss-count">−${whole(lost)}</span>
          <span>${words(reason)}</span>
          <span class="hint">${hints[reason] ?? ''}</span>
        </li>`
    )}
    ${gains.map(
      ({ reason, count: more }) =>
        html`<li class="loss expected gain" data-gain=${reason} title=${hints[reason] ?? ''}>
          <span class="loss-count">+${whole(more)}</span>
          <span>${words(reason)}</span>
          <span class="hint">${hints[reason] ?? ''}</span>
        </li>`
    )}
    <li class="stage">
      <span class="stage-name">${name}</span>
      <span class="stage-bar"><i style=${{ width: `${width}%` }}></i></span>
      <span class="stage-count" data-stage=${name}>${whole(count)}</span>
      <span class="stage-rate">${rate === undefined ? '' : `${scaled(rate)}/s`}</span>
    </li>
  `
}

export function Funnel({ funnel, history }: { funnel: FunnelView; history: readonly Timed[] }): Markup {
  const most = Math.max(...funnel.stages.map(({ count }) => count))
  const rates = ratesOf(funnel, history)
  const lost = funnel.stages.flatMap(({ losses }) => losses).filter(({ expected }) => !expected)
  const total = lost.reduce((sum, { count }) => sum + count, 0)
  return html`<section class="card funnel" data-funnel=${funnel.id}>
    <header>
      <h3>${funnel.title}</h3>
      <code>${funnel.id}</code>
      <span class=${`pill ${total > 0 ? 'bad' : 'good'}`}>${total > 0 ? `${whole(total)} lost` : 'nothing lost'}</span>
      <span class="unit">${funnel.unit}</span>
    </header>
    <ol>
      ${funnel.stages.map((stage, i) => stageView(stage, most, rates[i]))}
    </ol>
  </section>`
}
