// Commands: forms made from the schemas of the commands, the JSON that they come to, and the answer. Sent by who has the token.
import { useState } from 'preact/hooks'
import { useAnswer } from './answer.js'
import { postJson, token, tokenAsked } from './api.js'
import { Field, type FieldSchema } from './field.js'
import { html, type Markup } from './html.js'
import { Empty, Pill, prose } from './parts.js'
import { useStore } from './store.js'
import { Tree } from './tree.js'

type CommandDraft = Readonly<Record<string, unknown>>

interface CommandForm {
  readonly cmd: string
  readonly service?: string
  readonly summary: string
  readonly schema: {
    readonly properties?: Readonly<Record<string, FieldSchema>>
    readonly required?: readonly string[]
  }
  readonly examples: readonly CommandDraft[]
}
interface CommandList {
  /** The daemon takes commands from the page. */
  readonly enabled: boolean
  readonly commands: readonly CommandForm[]
}
interface CommandAnswer {
  readonly response: string
  readonly status: number
  readonly message: string
  readonly errors?: readonly { readonly code: string; readonly path: string; readonly message: string }[]
  readonly result?: unknown
}

const idOf = ({ cmd, service }: CommandForm): string => (service === undefined ? cmd : `${service}/${cmd}`)
const titleOf = ({ cmd, service }: CommandForm): string => `${cmd} (${service ?? 'daemon'})`
const emptyOf = ({ cmd, service }: CommandForm): CommandDraft => ({ cmd, ...(service !== undefined && { service }) })

/** In the order of the schema; what is not set is not there. */
function ordered(form: CommandForm, draft: CommandDraft): CommandDraft {
  const keys = ['cmd', 'service', 'msg_id', ...Object.keys(form.schema.properties ?? {})]
  return Object.fromEntries(keys.filter((key) => draft[key] !== undefined).map((key) => [key, draft[key]]))
}

function AnswerView({ answer }: { answer: CommandAnswer | string }): Markup {
  if (typeof answer === 'string') return html`<p class="banner bad" role="alert">${answer}</p>`
  const { response, status, message, errors = [], result } = answer
  return html`<section class="card" data-answer=${response} role="status">
    <header><h3>Answer</h3><${Pill} level=${response === 'ACK' ? 'good' : 'bad'}>${response} ${status}<//></header>
    <p>${message}</p>
    ${errors.length > 0 && html`<ul>${errors.map(({ code, path, message: why }) => html`<li><code>${path}</code> ${why} <span class="muted">${code}</span></li>`)}</ul>`}
    ${result !== undefined && html`<div class="tree"><${Tree} name="result" value=${result} open=${true} /></div>`}
  </section>`
} // prettier-ignore

const off = html`<p class="muted" data-off>
  This page only shows what to send: the daemon takes no commands from it. To change that, write a token of at least 32
  characters into a file (<code>openssl rand -hex 32</code>), set <code>commands = true</code> and
  <code>token_file</code> in <code>[reporters.web]</code>, and start the daemon again.
</p>`

function Send({ enabled, problem, busy, send }: { enabled: boolean; problem: string; busy: boolean; send: () => void }): Markup {
  const given = useStore(token) !== ''
  if (!enabled) return off
  return html`<div class="row">
    ${given
      ? html`<button class="main" disabled=${busy || problem !== ''} onClick=${send}>Send</button>`
      : html`<button class="main" onClick=${() => (tokenAsked.value = 'for commands')}>Give the token to send</button>`}
    <span class="muted">${problem}</span>
  </div>`
} // prettier-ignore

function Form({ form, enabled }: { form: CommandForm; enabled: boolean }): Markup {
  const [draft, setDraft] = useState<CommandDraft>(emptyOf(form))
  const [wrong, setWrong] = useState<Readonly<Record<string, string>>>({})
  /** Another number: the fields show the draft anew. */
  const [filled, setFilled] = useState(0)
  const [answer, setAnswer] = useState<CommandAnswer | string | undefined>(undefined)
  const [busy, setBusy] = useState(false)
  const { properties = {}, required = [] } = form.schema
  const fill = (values: CommandDraft): void => {
    setDraft(values)
    setWrong({})
    setFilled(filled + 1)
  }
  const set = (key: string) => (value: unknown, error: string) => {
    setDraft((old) => ({ ...old, [key]: value }))
    setWrong((old) => ({ ...old, [key]: error }))
  }
  const missing = required.filter((key) => draft[key] === undefined)
  const bad = Object.keys(wrong).filter((key) => wrong[key] !== '')
  const problem = [...(bad.length > 0 ? [`not understood: ${bad.join(', ')}`] : []), ...(missing.length > 0 ? [`still needed: ${missing.join(', ')}`] : [])].join('; ') // prettier-ignore
  const command = ordered(form, draft)
  const send = (): void => {
    setBusy(true)
    postJson<CommandAnswer>('/api/commands', command)
      .then(setAnswer, (error: Error) => setAnswer(error.message))
      .finally(() => setBusy(false))
  }
  return html`<div class="detector">
    <section class="card">
      <p class="summary">${prose(form.summary)}</p>
      <header>
        ${form.examples.map((example, i) => html`<button onClick=${() => fill(example)}>Example ${form.examples.length > 1 ? i + 1 : ''}</button>`)}
        <button onClick=${() => fill(emptyOf(form))}>Clear</button>
      </header>
      <div class="fields" key=${filled}>
        ${Object.entries(properties).map(([key, schema]) => html`<${Field} name=${key} schema=${schema} value=${draft[key]} required=${required.includes(key)} error=${wrong[key] ?? ''} onValue=${set(key)} />`)}
        ${Object.keys(properties).length === 0 && html`<p class="muted">It needs nothing more.</p>`}
      </div>
    </section>
    <div>
      <section class="card">
        <h3>What is sent</h3>
        <pre data-json tabindex="0">${JSON.stringify(command, null, 2)}</pre>
        <${Send} enabled=${enabled} problem=${problem} busy=${busy} send=${send} />
      </section>
      ${answer !== undefined && html`<${AnswerView} answer=${answer} />`}
    </div>
  </div>`
} // prettier-ignore

export function Commands({ rest }: { rest: readonly string[] }): Markup {
  const list = useAnswer<CommandList>('/api/commands')
  if (list === undefined) return null
  if (typeof list === 'string') return html`<${Empty} title="The daemon does not say its commands"><p>${list}</p><//>`
  const { commands, enabled } = list
  const form = commands.find((one) => idOf(one) === rest.join('/')) ?? commands[0]
  if (form === undefined) return html`<${Empty} title="There are no commands" />`
  const go = (event: Event): void => void (location.hash = `#/commands/${(event.target as HTMLSelectElement).value}`)
  return html`<section class="card row controls">
      <label>command <select value=${idOf(form)} onChange=${go}>${commands.map((one) => html`<option value=${idOf(one)}>${titleOf(one)}</option>`)}</select></label>
    </section>
    <${Form} form=${form} enabled=${enabled} key=${idOf(form)} />`
} // prettier-ignore
