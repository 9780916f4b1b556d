// Talks to the daemon that served the page, and to nobody else. The token lives in the memory of the tab only.
import { Store } from './store.js'

export type LinkState = 'connecting' | 'live' | 'asking' | 'lost'

export const connection = new Store<LinkState>('connecting')
export const token = new Store('')
/** Why a token is asked for; empty: none is. */
export const tokenAsked = new Store('')

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string
  ) {
    super(message)
  }
}

const bearer = (): Record<string, string> => (token.value === '' ? {} : { authorization: `Bearer ${token.value}` })

/** The answer to a request. Throws ApiError; a missing token is asked for. */
async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...bearer(), ...(init.headers as Record<string, string> | undefined) }
  const response = await fetch(path, { ...init, headers, cache: 'no-store', credentials: 'omit' })
  if (response.ok) return response
  const { error = response.statusText } = (await response.json().catch(() => ({}))) as { error?: string }
  if (response.status === 401) tokenAsked.value = error
  throw new ApiError(response.status, error)
}

export const getJson = async <T>(path: string, signal?: AbortSignal): Promise<T> =>
  (await request(path, signal === undefined ? {} : { signal })).json() as Promise<T>

export const getBytes = async (path: string, signal?: AbortSignal): Promise<ArrayBuffer> =>
  (await request(path, signal === undefined ? {} : { signal })).arrayBuffer()

export const postJson = async <T>(path: string, body: unknown): Promise<T> => {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  return (await request(path, init)).json() as Promise<T>
}

type Hear = (name: string, data: unknown) => void

const RETRY_MS = 1000
const ASK_MS = 2000

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })

/** Events of the daemon until the signal; goes on by itself after a break, where it was. `EventSource` could not send the token. */
export async function listen(topics: string, signal: AbortSignal, hear: Hear): Promise<void> {
  let last = ''
  while (!signal.aborted) {
    try {
      const headers: Record<string, string> = last === '' ? {} : { 'last-event-id': last }
      const response = await request(`/api/events?topics=${topics}`, { signal, headers })
      connection.value = 'live'
      await events(response, (name, data, id) => {
        last = id
        hear(name, data)
      })
      if (!signal.aborted) connection.value = 'lost'
    } catch (error) {
      if (signal.aborted) return
      // One page too many: it asks now and then
      if (error instanceof ApiError && error.status === 429) await ask(topics, signal, hear)
      else connection.value = 'lost'
    }
    await pause(RETRY_MS, signal)
  }
}

async function ask(topics: string, signal: AbortSignal, hear: Hear): Promise<void> {
  if (topics.split(',').includes('status')) hear('status', await getJson('/api/status', signal))
  connection.value = 'asking'
  await pause(ASK_MS, signal)
}

/** Cuts a stream of server-sent events. */
async function events(response: Response, hear: (name: string, data: unknown, id: string) => void): Promise<void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    text += part.value
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => {
          const at = line.indexOf(': ')
          return [line.slice(0, at), line.slice(at + 2)] as const
        })
      )
      const data = fields.get('data')
      if (data !== undefined) hear(fields.get('event') ?? '', JSON.parse(data), fields.get('id') ?? '')
    }
  }
}
