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
