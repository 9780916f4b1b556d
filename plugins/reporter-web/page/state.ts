// What the page knows of the daemon, kept fresh by its events.
import { type OverviewView } from '../wire.js'
import { listen } from './api.js'
import { Store } from './store.js'

export interface Timed {
  readonly view: OverviewView
  readonly atMs: number
}

export const overview = new Store<OverviewView | undefined>(undefined)
/** The last minutes, for rates and small curves. */
export const history = new Store<readonly Timed[]>([])
const KEPT = 120

/** What else a page wants to hear. */
const wanted = new Map<string, (data: unknown) => void>()
let stop: AbortController | undefined

function begin(): void {
  stop?.abort()
  stop = new AbortController()
  const topics = ['status', ...wanted.keys()].join(',')
  void listen(topics, stop.signal, (name, data) => {
    if (name === 'status') take(data as OverviewView)
    else wanted.get(name)?.(data)
  })
}

function take(view: OverviewView): void {
  const atMs = Date.now()
  const before = history.value.at(-1)
  // Another run counts from 0 again
  const kept = before !== undefined && before.view.uptime_s > view.uptime_s + 1 ? [] : history.value
  history.value = [...kept.slice(1 - KEPT), { view, atMs }]
  overview.value = view
}

export const start = begin

/** Hears a further topic until the result is called. */
export function hearTopic(name: string, hear: (data: unknown) => void): () => void {
  wanted.set(name, hear)
  begin()
  return () => {
    wanted.delete(name)
    begin()
  }
}
