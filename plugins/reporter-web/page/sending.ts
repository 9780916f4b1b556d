// Commands that a page sends by a button: allowed, with the token, one at a time.
import { useState } from 'preact/hooks'
import { useAnswer } from './answer.js'
import { postJson, token, tokenAsked } from './api.js'
import { useStore } from './store.js'

interface CommandReply {
  readonly response: string
  readonly message: string
  readonly errors?: readonly { readonly path: string; readonly message: string }[]
}

/** Empty: it was accepted; else why not. */
export async function post(command: object): Promise<string> {
  const { response, message, errors = [] } = await postJson<CommandReply>('/api/commands', command)
  return response === 'ACK' ? '' : [message, ...errors.map(({ path, message: why }) => `${path} ${why}`)].join('; ')
}

export interface Sending {
  /** The daemon takes commands from the page; undefined: not known yet. */
  readonly isEnabled: boolean | undefined
  readonly isGiven: boolean
  readonly askToken: () => void
  readonly isBusy: boolean
  readonly trouble: string
  /** Runs what posts; resolves to whether all went well. */
  readonly run: (work: () => Promise<string>) => Promise<boolean>
}

export function useSending(): Sending {
  const list = useAnswer<{ readonly enabled: boolean }>('/api/commands')
  const isGiven = useStore(token) !== ''
  const [trouble, setTrouble] = useState('')
  const [isBusy, setBusy] = useState(false)
  const run = async (work: () => Promise<string>): Promise<boolean> => {
    setBusy(true)
    const why = await work().catch((error: Error) => error.message)
    setBusy(false)
    setTrouble(why)
    return why === ''
  }
  const isEnabled = typeof list === 'object' ? list.enabled : undefined
  return { isEnabled, isGiven, askToken: () => (tokenAsked.value = 'for commands'), isBusy, trouble, run }
}
