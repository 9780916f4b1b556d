// Overview: is all well? What comes in, what gets lost, and where.
import { useEffect, useState } from 'preact/hooks'
import { type OverviewView, type PeerRow, type ServiceCard } from '../wire.js'
import { age, scaled, whole, words } from './format.js'
import { Funnel } from './funnel.js'
import { html, type Markup } from './html.js'
import { JobTable } from './jobs.js'
import { Empty, Pill } from './parts.js'
import { hearTopic, history, overview } from './state.js'
import { now, useStore } from './store.js'

function Service({ card }: { card: ServiceCard }): Markup {
  return html`<section class=${`card service ${card.level}`} data-service=${card.id}>
    <header>
      <h3>${card.id}</h3>
      <${Pill} level=${card.level}>${card.state}<//>
    </header>
    <dl class="figures">
      ${card.figures.map(
        ({ name, value, unit }) =>
          html`<div>
            <dt>${name}</dt>
            <dd>
              ${typeof value === 'number' ? (unit === 'B' ? scaled(value, 'B') : whole(value)) : value}
              ${unit !== '' && unit !== 'B' && html` <small>${unit}</small>`}
            </dd>
          </div>`
      )}
    </dl>
    ${card.trouble !== null && html`<p class="trouble">${card.trouble}</p>`}
  </section>`
}

function Trouble({ view }: { view: OverviewView }): Markup {
  const strangers = Object.entries(view.not_understood)
  if (view.faults.length === 0 && strangers.length === 0) return null
  return html`<section class="card trouble-list">
    <h3>To look at</h3>
    <ul>
      ${view.faults.map(
        ({ plugin, part, method, count, last_error: error }) =>
          html`<li><${Pill} level="bad">${whole(count)}×<//> ${plugin}, ${part}, ${method}: ${error}</li>`
      )}
      ${strangers.map(
        ([kind, count]) =>
          html`<li>
            <${Pill} level="warn">${whole(count)}×<//> message on a command topic that was in none of its dialects:
            ${words(kind)}
          </li>`
      )}
    </ul>
  </section>`
}

/** Silent for so many of its intervals, and at least so long, it is lost. */
const [MOST_MISSED, LEAST_SILENCE_MS] = [3, 5000]

interface PeerCard {
  readonly peer: PeerRow
  readonly isSilent: boolean
}

/** Other programs, silent ones first. */
function usePeers(): readonly PeerCard[] {
  const [rows, setRows] = useState<readonly PeerRow[]>([])
  const nowMs = useStore(now)
  useEffect(() => hearTopic('peers', (data) => setRows(data as readonly PeerRow[])), [])
  const cards = rows.map((peer) => {
    const patience = Math.max(LEAST_SILENCE_MS, MOST_MISSED * peer.interval_ms)
    return { peer, isSilent: nowMs - peer.time_ms > patience }
  })
  return cards.toSorted((a, b) => Number(b.isSilent) - Number(a.isSilent) || (a.peer.name < b.peer.name ? -1 : 1))
}

function Peers(): Markup {
  const cards = usePeers()
  const nowMs = useStore(now)
  if (cards.length === 0) return null
  return html`<h2>Other programs</h2>
    <div class="services">
      ${cards.map(({ peer, isSilent }) => {
        const { name, version, service_id: id, host, state, work, time_ms: at } = peer
        return html`<section
          class=${`card service ${isSilent ? 'bad' : 'good'}`}
          data-peer=${id}
          key=${`${name} ${id} ${host}`}
        >
          <header>
            <h3>${name || id}</h3>
            <${Pill} level=${isSilent ? 'bad' : 'good'}
              >${isSilent ? `silent for ${age(at, nowMs)}` : state || 'there'}<//
            >
          </header>
          <p class="muted wrap">${[name === '' ? '' : id, host, version].filter((part) => part !== '').join(', ')}</p>
          ${work !== '' && html`<p class="wrap">${work}</p>`}
        </section>`
      })}
    </div>`
}

export function Overview(): Markup {
  const view = useStore(overview)
  const timed = useStore(history)
  if (view === undefined) return html`<section class="card empty"><p>Waiting for the daemon …</p></section>`
  const running = view.jobs.filter((job) => job['ended'] === null)
  const listed = running.length > 0 ? running : view.jobs.slice(0, 5)
  return html`
    ${!view.kafka && html`<p class="banner bad" role="alert">No Kafka broker answers. Jobs wait; the forwarder keeps the newest values.</p>`}
    <div class="services">${view.services.map((card) => html`<${Service} card=${card} key=${card.id} />`)}</div>
    ${
      view.services.length === 0 &&
      html`<${Empty} title="No service is configured"
        ><p>
          Add <code>[services.filewriter]</code>, <code>[services.forwarder]</code> or
          <code>[services.histogram]</code> to the config file and start the daemon again.
        </p><//
      >`
    }
    <${Peers} />
    <${Trouble} view=${view} />
    <h2>From the topics to the files</h2>
    ${
      view.funnels.length === 0 &&
      html`<${Empty} title="No data are on their way"
        ><p>Start a job: <code>nexstream start filewriter --help</code> says how.</p><//
      >`
    }
    <div class="funnels">
      ${view.funnels.map((funnel) => html`<${Funnel} funnel=${funnel} history=${timed} key=${funnel.title + funnel.id} />`)}
    </div>
    ${
      listed.length > 0 &&
      html`<h2>${running.length > 0 ? 'Running jobs' : 'Jobs that have ended'}</h2>
        <section class="card"><${JobTable} jobs=${listed} /></section>`
    }
  `
}
