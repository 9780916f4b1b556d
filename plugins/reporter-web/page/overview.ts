// Overview: is all well? What comes in, what gets lost, and where.
import { type OverviewView, type ServiceCard } from '../wire.js'
import { scaled, whole, words } from './format.js'
import { Funnel } from './funnel.js'
import { html, type Markup } from './html.js'
import { JobTable } from './jobs.js'
import { Empty, Pill } from './parts.js'
import { history, overview } from './state.js'
import { useStore } from './store.js'

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
