// What one may choose of the image and the spectra of a detector, and how its histogram fares.
import { type Flight, type FlightScale, flightUnits } from '../flight.js'
import { type HistogramRow } from '../wire.js'
import { type ImageLook } from './canvas.js'
import { age, scaled } from './format.js'
import { html, type Markup } from './html.js'
import { gradients } from './image.js'
import { LayoutChoice } from './layout.js'
import { Pill } from './parts.js'
import { now, useStore } from './store.js'

interface ControlsProps {
  readonly images: readonly HistogramRow[]
  readonly chosen: HistogramRow | undefined
  readonly first: HistogramRow
  readonly look: ImageLook
  readonly layout: string
  readonly onKey: (key: string) => void
  readonly onLayout: (layout: string) => void
  readonly onLook: (look: ImageLook) => void
  readonly flight: Flight
  readonly onFlight: (flight: Flight) => void
}

export function Controls(props: ControlsProps): Markup {
  const { images, chosen, first, look, layout, onKey, onLayout, onLook } = props
  const nowMs = useStore(now)
  const value = (event: Event): string => (event.target as HTMLSelectElement).value
  const checked = (event: Event): boolean => (event.target as HTMLInputElement).checked
  const choice = (row: HistogramRow): Markup => html`<option value=${row.key}>${row.id}</option>`
  return html`<section class="card row controls">
    ${
      images.length > 1 &&
      html`<label
        >image
        <select value=${chosen?.key} onChange=${(event: Event) => onKey(value(event))}>
          ${images.map(choice)}
        </select></label
      >`
    }
    ${chosen !== undefined && html`<${LayoutChoice} row=${chosen} layout=${layout} onLayout=${onLayout} />`}
    <label
      >colours
      <select value=${look.gradient} onChange=${(event: Event) => onLook({ ...look, gradient: value(event) })}>
        ${gradients.map((name) => html`<option>${name}</option>`)}
      </select></label
    >
    <${Limits} look=${look} onLook=${onLook} />
    <label
      ><input
        type="checkbox"
        checked=${look.log}
        onChange=${(event: Event) => onLook({ ...look, log: checked(event) })}
      />
      logarithmic</label
    >
    <label
      ><input
        type="checkbox"
        checked=${look.isTurned}
        onChange=${(event: Event) => onLook({ ...look, isTurned: checked(event) })}
      />
      swap x and y</label
    >
    <${FlightChoice} flight=${props.flight} onFlight=${props.onFlight} />
    <span class="grow"></span>
    <${Pill} level=${first.state === 'COUNTING' ? 'good' : 'idle'}
      >${first.state === '' ? first.schema : first.state.toLowerCase()}<//
    >
    <b>${first.rate === null ? '' : `${scaled(first.rate)} events/s`}</b>
    <span class="muted">last message ${age(first.time_ms, nowMs)} ago</span>
  </section>`
}

const typed = (event: Event): string => (event.target as HTMLInputElement).value

function Limits({ look, onLook }: Pick<ControlsProps, 'look' | 'onLook'>): Markup {
  const set = (end: 'low' | 'high') => (event: Event) => {
    const text = typed(event)
    onLook({ ...look, [end]: text === '' ? undefined : Number(text) })
  }
  return html`<label
      >from <input type="number" name="colour-low" placeholder="0" value=${look.low ?? ''} onInput=${set('low')}
    /></label>
    <label
      >to <input type="number" name="colour-high" placeholder="most" value=${look.high ?? ''} onInput=${set('high')}
    /></label>`
}

/** An axis of times as what the neutrons had. */
function FlightChoice({ flight, onFlight }: Pick<ControlsProps, 'flight' | 'onFlight'>): Markup {
  const number = (key: 'metres' | 'offsetMs') => (event: Event) => {
    const value = Number(typed(event))
    if (key === 'offsetMs' || value > 0) onFlight({ ...flight, [key]: value })
  }
  const choose = (event: Event): void => onFlight({ ...flight, scale: typed(event) as FlightScale })
  return html`<label
      >times as
      <select name="flight" value=${flight.scale} onChange=${choose}>
        ${Object.keys(flightUnits).map((scale) => html`<option>${scale}</option>`)}
      </select></label
    >
    ${
      flight.scale !== 'time' &&
      html`<label
          >way
          <input type="number" name="metres" min="0" step="any" value=${flight.metres} onInput=${number('metres')} />
          m</label
        >
        <label
          >offset
          <input type="number" name="offset" step="any" value=${flight.offsetMs} onInput=${number('offsetMs')} />
          ms</label
        >`
    }`
}
