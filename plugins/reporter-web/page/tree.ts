// A value as a tree that opens where one looks, and bytes as hex beside their letters.
import { useState } from 'preact/hooks'
import { html, type Markup } from './html.js'

const isBranch = (value: unknown): value is object => typeof value === 'object' && value !== null

const inShort = (value: object): string => {
  if (!Array.isArray(value)) return `{ ${Object.keys(value).slice(0, 4).join(', ')}${Object.keys(value).length > 4 ? ', …' : ''} }`
  const flat = value.slice(0, 6).map((one) => (isBranch(one) ? '…' : String(one)))
  return `[ ${flat.join(', ')}${value.length > 6 ? ', …' : ''} ]`
} // prettier-ignore

/** Its inner parts are made when it is opened. */
export function Tree({ name, value, open = false }: { name: string; value: unknown; open?: boolean }): Markup {
  const [isOpen, setOpen] = useState(open)
  if (!isBranch(value))
    return html`<div class="leaf">
      <span class="name">${name}</span>
      <b class=${typeof value}>${typeof value === 'string' ? value : JSON.stringify(value)}</b>
    </div>`
  const toggled = (event: Event): void => {
    if (event.target === event.currentTarget) setOpen((event.currentTarget as HTMLDetailsElement).open)
  }
  return html`<details class="branch" open=${isOpen} onToggle=${toggled}>
    <summary>
      <span class="name">${name}</span> ${isOpen ? '' : html`<span class="short">${inShort(value)}</span>`}
    </summary>
    ${isOpen && Object.entries(value).map(([key, one]) => html`<${Tree} name=${key} value=${one} key=${key} />`)}
  </details>`
}

const WIDTH = 16

/** Lines of offset, bytes and letters. */
export function hexLines(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += WIDTH) {
    const row = [...bytes.subarray(at, at + WIDTH)]
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0'))
    const left = hex.slice(0, 8).join(' ').padEnd(23)
    const letters = row.map((byte) => (byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : '·')).join('')
    lines.push(`${at.toString(16).padStart(6, '0')}  ${left}  ${hex.slice(8).join(' ').padEnd(23)}  ${letters}`)
  }
  return lines.join('\n')
}

export const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
