// One field of a form: what its schema allows decides how it looks and how its text is read.
import { useState } from 'preact/hooks'
import { html, type Markup } from './html.js'
import { prose } from './parts.js'

export interface FieldSchema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly FieldSchema[]
  readonly oneOf?: readonly FieldSchema[]
}

type FieldType = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'object' | 'array'

/** All types that a value may have; none is named: any. */
function typesOf(schema: FieldSchema): ReadonlySet<FieldType> {
  const own = schema.type === undefined ? [] : [schema.type].flat()
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((one) => [...typesOf(one)])
  return new Set([...own, ...inner] as FieldType[])
}

/** The values that may be chosen from; undefined: it is written. */
function choicesOf(schema: FieldSchema): readonly unknown[] | undefined {
  if (schema.enum !== undefined) return schema.enum
  if (schema.const !== undefined) return [schema.const]
  return schema.type === 'boolean' ? [true, false] : undefined
}

/** The value of a text; throws what is wrong with it. */
export function valueOf(text: string, schema: FieldSchema): unknown {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  const types = typesOf(schema)
  if (types.has('null') && trimmed === 'null') return null
  const isNumber = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(trimmed)
  if (isNumber && (types.has('number') || types.has('integer'))) return Number(trimmed)
  if (types.has('string') && !/^[[{]/.test(trimmed)) return text
  if (types.size > 0 && !types.has('object') && !types.has('array')) {
    if (types.has('string')) return text
    throw new Error('a number is needed here')
  }
  try {
    return JSON.parse(trimmed)
  } catch (error) {
    throw new Error(`no JSON: ${(error as Error).message}`)
  }
}

const textOf = (value: unknown): string =>
  value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value, null, 2)

interface FieldProps {
  readonly name: string
  readonly schema: FieldSchema
  readonly value: unknown
  readonly required: boolean
  readonly error: string
  readonly onValue: (value: unknown, error: string) => void
}

function Input({ name, schema, value, onValue }: FieldProps): Markup {
  const [text, setText] = useState(textOf(value))
  const types = typesOf(schema)
  const choices = choicesOf(schema)
  const id = `field-${name}`
  const fallback = schema.default === undefined ? '' : textOf(schema.default).slice(0, 60)
  if (choices !== undefined) {
    const chosen = choices.findIndex((one) => one === value)
    const choose = (event: Event): void => onValue(choices[Number((event.target as HTMLSelectElement).value)], '')
    return html`<select id=${id} name=${name} value=${chosen} onChange=${choose}>
      <option value="-1">${fallback === '' ? '' : `(${fallback})`}</option>
      ${choices.map((one, i) => html`<option value=${i}>${textOf(one)}</option>`)}
    </select>`
  }
  const typed = (event: Event): void => {
    const next = (event.target as HTMLInputElement).value
    setText(next)
    try {
      onValue(valueOf(next, schema), '')
    } catch (error) {
      onValue(undefined, (error as Error).message)
    }
  }
  const isLong = types.size === 0 || types.has('object') || types.has('array')
  return isLong
    ? html`<textarea id=${id} name=${name} rows=${Math.min(14, Math.max(3, text.split('\n').length))} spellcheck="false" value=${text} onInput=${typed}></textarea>`
    : html`<input id=${id} name=${name} autocomplete="off" spellcheck="false" value=${text} placeholder=${fallback} onInput=${typed} />`
} // prettier-ignore

export function Field(props: FieldProps): Markup {
  const { name, schema, required, error } = props
  return html`<div class="field">
    <label for=${`field-${name}`}><b>${name}</b>${required && html` <span class="muted">needed</span>`}</label>
    <${Input} ...${props} />
    ${error !== '' && html`<p class="bad-text" role="alert">${error}</p>`}
    <p class="muted">${prose(schema.description ?? '')}</p>
  </div>`
}
