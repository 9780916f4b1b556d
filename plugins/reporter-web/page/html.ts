// Components are written in htm, which needs no build step of its own.
import htm from 'htm'
import { type ComponentChild, h } from 'preact'

/** What a component may give. */
export type Markup = ComponentChild

export const html = (htm as unknown as { bind(make: typeof h): unknown }).bind(h) as (
  strings: TemplateStringsArray,
  ...values: unknown[]
) => Markup
