// Options of the page, and what they may not say together: nothing is open to others by accident.
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { CodedError, type JSONSchema, type Options } from '../../core/api/plugin.js'

const names = { type: 'array', items: { type: 'string', minLength: 1 }, default: [] } as const

export const optionSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    host: {
      type: 'string',
      default: '127.0.0.1',
      description: 'Address to bind to; loopback unless you say otherwise.'
    },
    port: {
      type: 'integer',
      minimum: 0,
      maximum: 65535,
      default: 9465,
      description: 'Port; 0 takes a free one, which the log names.'
    },
    hosts: {
      ...names,
      description:
        'Names by which browsers may call it, beside `localhost`, loopback addresses and `host`; without port.'
    },
    token_file: { type: 'string', description: 'File with the token that writing, and reading from elsewhere, needs.' },
    token_env: { type: 'string', description: 'Variable with the token, instead of token_file.' },
    anonymous_read: {
      type: 'boolean',
      default: false,
      description: 'Reading needs no token, though `host` is no loopback address.'
    },
    commands: {
      type: 'boolean',
      default: false,
      description: 'Commands are taken (POST /api/commands), from who has the token.'
    },
    pv_topics: { ...names, description: 'Topics with values of PVs, beside those that this daemon forwards to.' },
    histogram_topics: {
      ...names,
      description: 'Topics with hs00, hs01 or da00 to show, beside those of the jobs of this daemon.'
    },
    peer_topics: {
      ...names,
      description:
        'Topics with heartbeats of other programs (x5f2) and daemons (status): each gets a card on the overview.'
    },
    detectors: {
      type: 'array',
      default: [],
      maxItems: 200,
      description: 'How the pixels of detectors lie: histograms that belong to one are laid out as it says.',
      items: {
        type: 'object',
        additionalProperties: false,
        properties: {
          daqlite: {
            type: 'string',
            minLength: 1,
            description: 'JSON config file of daqlite as it is, read at start: geometry, title, topic and source.'
          },
          structure: {
            type: 'string',
            minLength: 1,
            description:
              'Instead: JSON file with a nexus_structure, or a start command with one; each NXdetector with detector_number is a detector.'
          },
          histogram: {
            type: 'string',
            minLength: 1,
            description:
              'Id or source of the histogram that it belongs to; otherwise those of the topic and the sources that the file names.'
          }
        }
      }
    },
    message_topics: {
      ...names,
      description:
        'Topics whose messages may be looked at one by one, beside the status topic and those that this daemon forwards, simulates or counts histograms to.'
    },
    cert_file: { type: 'string', description: 'PEM certificate, for https; with key_file.' },
    key_file: { type: 'string', description: 'PEM key of it.' },
    proxies: { ...names, description: 'Addresses of proxies whose `X-Forwarded-…` headers are believed.' },
    frame_ancestors: { ...names, description: 'Origins of pages that may show this one within them.' },
    clients: { type: 'integer', minimum: 1, default: 32, description: 'Most open event streams.' },
    streams_per_client: {
      type: 'integer',
      minimum: 1,
      default: 2,
      description: 'Most open event streams of one address; further pages ask instead.'
    },
    commands_per_minute: { type: 'integer', minimum: 1, default: 60, description: 'Most commands of one address.' }
  }
} as const satisfies JSONSchema

export type WebOptions = Options<typeof optionSchema>

/** What is known of the access once the options are found good. */
export interface Access {
  readonly token: string | undefined
  /** Reading needs the token. */
  readonly readsByToken: boolean
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined
}

const LEAST_TOKEN = 32

const refuse = (key: string, text: string): CodedError =>
  new CodedError('CONFIG_INVALID', text, { path: `/reporters/web/${key}` })

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

/** Throws CONFIG_INVALID for what would be open to others without a token. */
export function accessOf(options: WebOptions): Access {
  const token = tokenOf(options)
  if (options.commands && token === undefined)
    throw refuse('commands', 'commands need a token of at least 32 characters; set token_file or token_env')
  const isOpen = !isLoopback(options.host)
  if (isOpen && token === undefined && !options.anonymous_read)
    throw refuse(
      'host',
      `${options.host} is no loopback address: set token_file or token_env, or anonymous_read = true if everybody may look`
    )
  for (const origin of options.frame_ancestors)
    if (!/^https?:\/\/[A-Za-z0-9.*:[\]-]+$/.test(origin))
      throw refuse('frame_ancestors', `'${origin}' is no origin such as https://nicos.example.org`)
  return { token, readsByToken: isOpen && !options.anonymous_read, tls: tlsOf(options) }
}

function tokenOf({ token_file: file, token_env: variable }: WebOptions): string | undefined {
  if (file === undefined && variable === undefined) return undefined
  const [key, text] =
    file === undefined
      ? ['token_env', process.env[variable ?? ''] ?? '']
      : ['token_file', read(file, 'token_file').toString()]
  const token = text.trim()
  // Of a token only the header and this comparison know
  if (token.length < LEAST_TOKEN || !/^[\x21-\x7e]+$/.test(token))
    throw refuse(key, `the token must have at least ${LEAST_TOKEN} characters, all of them visible ASCII`)
  return token
}

function tlsOf({ cert_file: cert, key_file: key }: WebOptions): Access['tls'] {
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) throw refuse('cert_file', 'cert_file and key_file go together')
  return { cert: read(cert, 'cert_file'), key: read(key, 'key_file') }
}

export function read(file: string, option: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new CodedError('CONFIG_INVALID', `${file} cannot be read: ${(cause as Error).message}`, {
      path: `/reporters/web/${option}`,
      cause
    })
  }
}
