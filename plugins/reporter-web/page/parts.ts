// Small parts that all pages use.
import { type ComponentChildren } from 'preact'
import { html, type Markup } from './html.js'

export const Pill = ({ level, children }: { level: string; children?: ComponentChildren }): Markup =>
  html`<span class=${`pill ${level}`}>${children}</span>`

/** Nothing to show, and what to do about it. */
export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }): Markup =>
  html`<section class="card empty">
    <h2>${title}</h2>
    ${children}
  </section>`

/** Drawn, not written: not every font has such signs. */
const icons = {
  auto: html`<circle cx="8" cy="8" r="6" /><path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />`,
  light: html`<circle cx="8" cy="8" r="3" /><path
      d="M8 .8v2M8 13.2v2M.8 8h2M13.2 8h2M2.9 2.9l1.4 1.4M11.7 11.7l1.4 1.4M2.9 13.1l1.4-1.4M11.7 4.3l1.4-1.4"
    />`,
  dark: html`<path d="M13.4 9.8A6 6 0 0 1 6.2 2.6a6 6 0 1 0 7.2 7.2z" />`
} as const

export const Icon = ({ name }: { name: keyof typeof icons }): Markup =>
  html`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">${icons[name]}</svg>`

/** Text with `code` in it. */
export const prose = (text: string): Markup =>
  text.split('`').map((part, i) => (i % 2 === 0 ? part : html`<code>${part}</code>`))
