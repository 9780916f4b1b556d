// What a Channel Access server sends: the stream of a circuit in pieces, values and metadata of every type.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CTRL_BASE, decodeControl, decodeTime, MAX_NATIVE, TIME_BASE } from '../../../plugins/source-epics/ca/dbr.js'
import { CaFramer } from '../../../plugins/source-epics/ca/framer.js'
import { packageRoot } from '../../../core/root.js'
import { type Target } from '../target.js'

const MAX_MESSAGE = 1 << 16
export const samplesOf = (folder: string): Buffer[] => {
  const path = join(packageRoot, folder)
  return readdirSync(path).filter((name) => name.endsWith('.bin')).map((name) => readFileSync(join(path, name))) // prettier-ignore
}

export default {
  // The first byte says in which pieces the rest comes, and how values are to be taken
  seeds: () =>
    samplesOf('plugins/source-epics/ca/samples').flatMap((bytes) =>
      [0, 9].map((first) => Buffer.concat([Buffer.from([first]), bytes.subarray(0, 3000)]))
    ),
  run: (input) => {
    const how = input[0] ?? 0
    const form = { isArray: (how & 64) !== 0, isText: (how & 128) !== 0 }
    const framer = new CaFramer(
      MAX_MESSAGE,
      (message) => {
        const { type } = message
        if (type >= TIME_BASE && type <= TIME_BASE + MAX_NATIVE)
          decodeTime({ type: type - TIME_BASE, ...form }, message)
        else if (type >= CTRL_BASE && type <= CTRL_BASE + MAX_NATIVE) decodeControl(type - CTRL_BASE, message)
      },
      () => undefined
    )
    const size = (how & 63) === 0 ? input.length : how & 63
    for (let at = 1; at < input.length; at += size) framer.push(Buffer.from(input.subarray(at, at + size)))
  },
  allows: (error) => error instanceof RangeError && error.message.startsWith('CA: ')
} satisfies Target
