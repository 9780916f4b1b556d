// Plugin options and EPICS_* environment variables to the options of the two clients; options win.
import { CodedError, type JSONSchema, type Options } from '../../core/api/plugin.js'
import { parseList, type HostPort } from './shared/addrlist.js'
import { type CaOptions } from './ca/client.js'
import { type PvaOptions } from './pva/client.js'
import { type Warn } from './shared/warner.js'

const list = (what: string) =>
  ({
    type: 'array',
    items: { type: 'string', minLength: 1 },
    description: `${what} Entries: host or host:port.`
  }) as const
const port = (what: string) => ({ type: 'integer', minimum: 1, maximum: 65_535, description: what }) as const

const common = {
  connection_timeout_s: {
    type: 'number',
    minimum: 1,
    maximum: 3600,
    description: 'Seconds of silence after which a server is probed; default EPICS_*_CONN_TMO or 30.'
  },
  max_search_period_s: {
    type: 'number',
    minimum: 1,
    maximum: 3600,
    description:
      'A channel that nobody has is searched again after so many seconds at the latest; default 30. A few are searched more often: all together in 8 datagrams a second.'
  },
  max_message_bytes: {
    type: 'integer',
    minimum: 65_536,
    maximum: 1_073_741_824,
    description:
      'The largest message taken from a server (arrays, images); larger updates are passed over and their channel is reported as REMOTE_ERROR. Default 64 MiB.'
  }
} as const

export const optionsSchema = {
  type: 'object',
  properties: {
    ca: {
      type: 'object',
      description: 'Channel Access; what is not given comes from the EPICS_CA_* variables.',
      properties: {
        addr_list: list('Where to search; default EPICS_CA_ADDR_LIST.'),
        auto_addr_list: {
          type: 'boolean',
          description: 'Search on the broadcast addresses of all interfaces, too; default EPICS_CA_AUTO_ADDR_LIST.'
        },
        name_servers: list('Servers asked over TCP; default EPICS_CA_NAME_SERVERS.'),
        server_port: port('Port where no entry names one; default EPICS_CA_SERVER_PORT or 5064.'),
        repeater_port: port('Port of the CA repeater of this host; default EPICS_CA_REPEATER_PORT or 5065.'),
        repeater: {
          type: 'boolean',
          description:
            'Be the CA repeater of this host while no other program is; without one, beacons of servers are not heard. Default true.'
        },
        ...common
      },
      additionalProperties: false
    },
    pva: {
      type: 'object',
      description: 'pvAccess; what is not given comes from the EPICS_PVA_* variables.',
      properties: {
        addr_list: list('Where to search; default EPICS_PVA_ADDR_LIST.'),
        auto_addr_list: {
          type: 'boolean',
          description: 'Search on the broadcast addresses of all interfaces, too; default EPICS_PVA_AUTO_ADDR_LIST.'
        },
        name_servers: list('Servers asked over TCP; default EPICS_PVA_NAME_SERVERS.'),
        server_port: port('TCP port where a name server entry names none; default EPICS_PVA_SERVER_PORT or 5075.'),
        broadcast_port: port('UDP port where no entry names one; default EPICS_PVA_BROADCAST_PORT or 5076.'),
        server_queue: {
          type: 'integer',
          minimum: 0,
          maximum: 1000,
          description:
            'Updates of a channel that servers are asked to keep while they cannot send; they merge what is more, and nobody tells. 0: as they like (2 to 4). Default 10.'
        },
        ...common
      },
      additionalProperties: false
    }
  },
  additionalProperties: false
} as const satisfies JSONSchema

export type EpicsOptions = Options<typeof optionsSchema>
type Env = Readonly<Record<string, string | undefined>>

/** Where values come from that no option gives. */
interface Surroundings {
  readonly env: Env
  readonly warn: Warn
}

const PORTS = { min: 1, max: 65_535 }
const SECONDS = { min: 1, max: 3600 }

const DEFAULT_MAX_BYTES = 64 << 20
/** A second of a record at 10 Hz; a server may allocate so many values for each monitor. */
const DEFAULT_SERVER_QUEUE = 10

export function caOptions(options: EpicsOptions, env: Env, warn: Warn): CaOptions {
  const own = options.ca ?? {}
  const around = { env, warn }
  const serverPort = own.server_port ?? number(around, 'EPICS_CA_SERVER_PORT', { ...PORTS, fallback: 5064 })
  return {
    addresses: addresses(own.addr_list, '/ca/addr_list', around, { variable: 'EPICS_CA_ADDR_LIST', port: serverPort }),
    autoAddresses: own.auto_addr_list ?? isYes(env['EPICS_CA_AUTO_ADDR_LIST']),
    nameServers: addresses(own.name_servers, '/ca/name_servers', around, {
      variable: 'EPICS_CA_NAME_SERVERS',
      port: serverPort
    }),
    port: serverPort,
    repeaterPort: own.repeater_port ?? number(around, 'EPICS_CA_REPEATER_PORT', { ...PORTS, fallback: 5065 }),
    isRepeater: own.repeater ?? true,
    connectionTimeoutMs:
      (own.connection_timeout_s ?? number(around, 'EPICS_CA_CONN_TMO', { ...SECONDS, fallback: 30 })) * 1000,
    maxSearchPeriodMs:
      (own.max_search_period_s ?? number(around, 'EPICS_CA_MAX_SEARCH_PERIOD', { ...SECONDS, fallback: 30 })) * 1000,
    maxBytes: own.max_message_bytes ?? DEFAULT_MAX_BYTES
  }
}

export function pvaOptions(options: EpicsOptions, env: Env, warn: Warn): PvaOptions {
  const own = options.pva ?? {}
  const around = { env, warn }
  const udp = own.broadcast_port ?? number(around, 'EPICS_PVA_BROADCAST_PORT', { ...PORTS, fallback: 5076 })
  const tcp = own.server_port ?? number(around, 'EPICS_PVA_SERVER_PORT', { ...PORTS, fallback: 5075 })
  return {
    addresses: addresses(own.addr_list, '/pva/addr_list', around, { variable: 'EPICS_PVA_ADDR_LIST', port: udp }),
    autoAddresses: own.auto_addr_list ?? isYes(env['EPICS_PVA_AUTO_ADDR_LIST']),
    nameServers: addresses(own.name_servers, '/pva/name_servers', around, {
      variable: 'EPICS_PVA_NAME_SERVERS',
      port: tcp
    }),
    port: udp,
    connectionTimeoutMs:
      (own.connection_timeout_s ?? number(around, 'EPICS_PVA_CONN_TMO', { ...SECONDS, fallback: 30 })) * 1000,
    maxSearchPeriodMs: (own.max_search_period_s ?? 30) * 1000,
    maxBytes: own.max_message_bytes ?? DEFAULT_MAX_BYTES,
    serverQueue: own.server_queue ?? DEFAULT_SERVER_QUEUE
  }
}

/** A bad entry of an option is refused; one of the environment is left out with a warning, the others still count. */
function addresses(
  own: readonly string[] | undefined,
  path: string,
  { env, warn }: Surroundings,
  { variable, port }: { variable: string; port: number }
): HostPort[] {
  const { good, bad } = parseList(own ?? env[variable] ?? '', port)
  for (const word of bad) {
    const what = `${JSON.stringify(word)} is no address; write host or host:port`
    if (own !== undefined) throw new CodedError('PLUGIN_OPTIONS', what, { path })
    warn(`${variable}: ${what}`)
  }
  return good
}

function number(
  { env, warn }: Surroundings,
  variable: string,
  { min, max, fallback }: { min: number; max: number; fallback: number }
): number {
  const text = env[variable]?.trim() ?? ''
  if (text === '') return fallback
  const value = Number(text)
  if (value >= min && value <= max) return value
  warn(`${variable}: ${JSON.stringify(text)} is not a number from ${min} to ${max}; ${fallback} is used`)
  return fallback
}

const isYes = (text: string | undefined): boolean => (text ?? 'YES').trim().toUpperCase() !== 'NO'
