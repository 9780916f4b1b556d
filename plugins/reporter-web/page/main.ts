// The page: its frame, the way between its parts, keys, light and dark.
import { render } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { connection, token, tokenAsked } from './api.js'
import { Commands } from './commands.js'
import { Detector } from './detector.js'
import { Files } from './files.js'
import { span } from './format.js'
import { html, type Markup } from './html.js'
import { Jobs } from './jobs.js'
import { Messages } from './messages.js'
import { Overview } from './overview.js'
import { Icon, Pill } from './parts.js'
import { Pvs } from './pvs.js'
import { RatesPage } from './rates.js'
import { overview, start } from './state.js'
import { Store, useStore } from './store.js'

interface PageInfo {
  readonly id: string
  readonly title: string
  readonly view: (props: { rest: readonly string[] }) => Markup
}

const pages: readonly PageInfo[] = [
  { id: 'overview', title: 'Overview', view: Overview },
  { id: 'jobs', title: 'Jobs', view: Jobs },
  { id: 'pvs', title: 'PVs', view: Pvs },
  { id: 'detector', title: 'Detector', view: Detector },
  { id: 'rates', title: 'Rates', view: RatesPage },
  { id: 'messages', title: 'Messages', view: Messages },
  { id: 'commands', title: 'Commands', view: Commands },
  { id: 'files', title: 'Files', view: Files }
]

/** `#/jobs/run42` → page and what follows. */
const place = new Store(readPlace())
function readPlace(): readonly string[] {
  const parts = location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent)
  return parts.length === 0 ? ['overview'] : parts
}
addEventListener('hashchange', () => (place.value = readPlace()))

type Theme = 'auto' | 'light' | 'dark'
const themes: readonly Theme[] = ['auto', 'light', 'dark']
const storedTheme = localStorage.getItem('theme') as Theme | null
const theme = new Store<Theme>(storedTheme !== null && themes.includes(storedTheme) ? storedTheme : 'auto')
function useTheme(): void {
  const chosen = useStore(theme)
  useEffect(() => {
    document.documentElement.dataset['theme'] = chosen
    localStorage.setItem('theme', chosen)
    dispatchEvent(new Event('themechange'))
  }, [chosen])
}
const nextTheme = (): void => void (theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? 'auto')

const helpShown = new Store(false)

function keys(event: KeyboardEvent): void {
  const target = event.target as HTMLElement
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) {
    if (event.key === 'Escape') target.blur()
    return
  }
  const page = pages[Number(event.key) - 1]
  if (page !== undefined) location.hash = `#/${page.id}`
  else if (event.key === '?') helpShown.value = !helpShown.value
  else if (event.key === 'Escape') helpShown.value = false
  else if (event.key === 't') nextTheme()
  else if (event.key === '/') {
    event.preventDefault()
    document.querySelector<HTMLInputElement>('input[type=search]')?.focus()
  }
}
addEventListener('keydown', keys)

function Help(): Markup {
  if (!useStore(helpShown)) return null
  const rows = [
    [`1 – ${pages.length}`, 'pages, in the order of the menu'],
    ['/', 'search'],
    ['t', 'light, dark, or as the system says'],
    ['Esc', 'leave a field, close this'],
    ['?', 'this']
  ]
  return html`<dialog open class="card help" aria-label="Keys">
    <h2>Keys</h2>
    <dl>
      ${rows.map(
        ([key, what]) =>
          html`<dt><kbd>${key}</kbd></dt>
            <dd>${what}</dd>`
      )}
    </dl>
    <button onClick=${() => (helpShown.value = false)}>Close</button>
  </dialog>`
}

function TokenForm(): Markup {
  const asked = useStore(tokenAsked)
  const field = useRef<HTMLInputElement>(null)
  const [text, setText] = useState('')
  useEffect(() => field.current?.focus(), [asked])
  if (asked === '') return null
  const use = (event: Event): void => {
    event.preventDefault()
    token.value = text.trim()
    tokenAsked.value = ''
    setText('')
    start()
  }
  return html`<form class="card token" onSubmit=${use}>
    <label for="token">Token <span class="muted">(${asked}; it stays in this tab only)</span></label>
    <div class="row">
      <input
        id="token"
        ref=${field}
        type="password"
        autocomplete="off"
        value=${text}
        onInput=${(event: Event) => setText((event.target as HTMLInputElement).value)}
      />
      <button type="submit">Use it</button
      ><button type="button" onClick=${() => (tokenAsked.value = '')}>Not now</button>
    </div>
  </form>`
}

const said = { connecting: 'connecting', live: 'live', asking: 'every 2 s', lost: 'no connection' } as const

function Top(): Markup {
  const view = useStore(overview)
  const state = useStore(connection)
  const chosen = useStore(theme)
  const level = state === 'lost' ? 'bad' : view?.state === 'running' ? 'good' : 'warn'
  return html`<header class="top">
    <a class="brand" href="#/overview"><img src="/icon.svg" alt="" width="26" height="26" /><b>nexstream</b></a>
    <span class="who"
      >${view === undefined ? '' : html`${view.service_id} <span class="muted">on ${view.host}, up ${span(view.uptime_s)}, v${view.version}</span>`}</span
    >
    <${Pill} level=${level}
      ><i class="dot"></i
      >${state === 'lost' || view === undefined ? said[state] : state === 'live' ? view.state : `${view.state}, ${said[state]}`}<//
    >
    <button class="quiet" onClick=${() => (tokenAsked.value = 'for commands')} title="Give the token">Token</button>
    <button
      class="quiet"
      onClick=${nextTheme}
      aria-label=${`Colours: ${chosen}`}
      title="Light, dark, or as the system says (t)"
    >
      <${Icon} name=${chosen} />
    </button>
    <button class="quiet" onClick=${() => (helpShown.value = !helpShown.value)} title="Keys (?)">?</button>
  </header>`
}

function App(): Markup {
  useTheme()
  const [id, ...rest] = useStore(place)
  const page = pages.find((one) => one.id === id) ?? pages[0]!
  useLayoutEffect(() => {
    document.title = `${page.title} · nexstream`
  }, [page])
  return html`
    <a class="skip" href="#main">To the content</a>
    <${Top} />
    <nav aria-label="Pages">
      ${pages.map(
        ({ id: own, title }, i) =>
          html`<a href=${`#/${own}`} aria-current=${own === page.id ? 'page' : undefined}
            ><span>${title}</span><kbd>${i + 1}</kbd></a
          >`
      )}
    </nav>
    <main id="main" tabindex="-1" data-page=${page.id}>
      <${TokenForm} />
      <${page.view} rest=${rest} key=${page.id} />
    </main>
    <${Help} />
  `
}

start()
render(html`<${App} />`, document.querySelector('#app')!)
