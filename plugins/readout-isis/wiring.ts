// The wiring table of ISIS (CSV): which tubes, or which first id, the board has that sends from an address.
import { CodedError } from '../../core/api/plugin.js'
import { addressNumber } from '../service-event-formation/readout-kit.js'
import { type IsisConfig } from './config.js'

/** What is told of one board. */
export type Wiring = Pick<IsisConfig, 'board' | 'start' | 'channels'>

const columns = { address: 'StreamingIP', type: 'BRD_Type', channel: 'CH', start: 'Mantid_DetectorID_Start', length: 'Mantid_Detector_ID_Lenght' } as const // prettier-ignore
const boards: readonly IsisConfig['board'][] = ['PC3544MS', 'PC3634M1S', 'PC3877MS']
const LARGEST_ID = 2 ** 31 - 1

/**
 * Boards by their addresses, as numbers.
 * @param board - type of boards in tables without a column of types; older ones have none
 * Throws DETECTOR_INVALID with the line.
 */
export function readWiring(text: string, board: IsisConfig['board']): Map<number, Wiring> {
  const [head = [], ...lines] = text.split(/\r?\n/).map(cellsOf)
  const places = new Map(head.map((name, i) => [name.replace('\ufeff', '').trim(), i]))
  const missing = Object.values(columns).find((name) => name !== columns.type && !places.has(name))
  if (missing !== undefined) throw new CodedError('DETECTOR_INVALID', `the wiring table has no column ${missing}`)
  const byAddress = new Map<number, Wiring>()
  for (const [i, cells] of lines.entries()) {
    if (cells.every((cell) => cell.trim() === '')) continue
    const cell = (key: keyof typeof columns): string => cells[places.get(columns[key]) ?? -1]?.trim() ?? ''
    const fail = (what: string): never => {
      throw new CodedError('DETECTOR_INVALID', `line ${i + 2} of the wiring table: ${what}`)
    }
    const whole = (key: 'channel' | 'start' | 'length', least: number, most: number): number => {
      const [text, value] = [cell(key), Number(cell(key))]
      const isFine = text !== '' && Number.isInteger(value) && value >= least && value <= most
      return isFine ? value : fail(`${columns[key]} is '${text}', and must be from ${least} to ${most}`)
    }
    const address = addressNumber(cell('address'))
    if (address === 0) fail(`'${cell('address')}' is no address of IPv4`)
    const type = boards.find((one) => one === cell('type')) ?? (cell('type') === '' ? board : undefined)
    if (type === undefined) return fail(`${cell('type') || 'no BRD_Type'}; boards are ${boards.join(', ')}`)
    const known = byAddress.get(address)
    const start = whole('start', 0, LARGEST_ID)
    if (known !== undefined && known.board !== type) fail(`${cell('address')} is a ${known.board} already`)
    const line = { channel: whole('channel', 0, 7), start, length: whole('length', 1, 4096) }
    byAddress.set(address, known === undefined ? { board: type, start, channels: [line] } : { ...known, channels: [...known.channels, line] }) // prettier-ignore
  }
  return byAddress
}

/** Cells may stand in quotes, with commas in them. */
const cellsOf = (line: string): string[] =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain) // prettier-ignore
