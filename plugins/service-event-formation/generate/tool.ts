// `nexstream generate-readouts`: packets of a family with a test image, sent by UDP at a rate.
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { CodedError, exitCodes, type ToolFlags, type ToolRun } from '../../../core/api/plugin.js'
import { checkFiles, readoutOf } from '../form/check.js'
import { jsonOf } from '../json-file.js'
import { generatePackets, type GeneratorOptions } from './packets.js'

const NS_PER_MS = 1_000_000n

function numberOf(flags: ToolFlags, name: string, from: number, to: number): number {
  const value = Number(flags[name])
  if (Number.isFinite(value) && value >= from && value <= to) return value
  throw new CodedError('CLI_USAGE', `--${name} must be a number from ${from} to ${to}`)
}

function optionsOf(flags: ToolFlags): GeneratorOptions & { readonly rate: number } {
  const most = Number.MAX_SAFE_INTEGER
  return {
    seed: Math.trunc(numberOf(flags, 'seed', 0, 2 ** 32 - 1)),
    pulses: Math.trunc(numberOf(flags, 'pulses', 1, most)),
    packets: Math.trunc(numberOf(flags, 'packets', 1, 100_000)),
    readouts: Math.trunc(numberOf(flags, 'readouts', 1, 10_000)),
    loss: numberOf(flags, 'loss', 0, 1),
    rate: numberOf(flags, 'rate', 0, 1_000_000),
    startNs: BigInt(Date.now()) * NS_PER_MS
  }
}

/** Host and port of `host:port`. */
function addressOf(text: string): readonly [string, number] {
  const at = text.lastIndexOf(':')
  const port = Number(text.slice(at + 1))
  if (at > 0 && Number.isInteger(port) && port > 0 && port < 65_536)
    return [text.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port]
  throw new CodedError('CLI_USAGE', `'${text}' is no host:port`)
}

const generate: ToolRun = async ([family = '', to = ''], flags, context) => {
  const part = readoutOf(context.parts, family, '/family')
  const [host, port] = addressOf(to)
  const config = ((await jsonOf(context, flags['configFile'])) ?? {}) as Record<string, unknown>
  const calibration = await jsonOf(context, flags['calibrationFile'])
  checkFiles(context.parts, part, { config, calibration }, '')
  if (part.generate === undefined) throw new CodedError('CLI_USAGE', `the family ${family} makes no readouts`)
  const options = optionsOf(flags)
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  const send = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => socket.send(bytes, port, host, (error) => (error ? reject(error) : resolve())))
  const counts = { packets: 0, left_out: 0, readouts: 0, bytes: 0 }
  const startMs = performance.now()
  try {
    for (const { bytes, isLost, readouts } of generatePackets(part, part.generate(config, calibration), options)) {
      const pulse = Math.trunc((counts.packets + counts.left_out) / options.packets)
      const dueMs = options.rate === 0 ? 0 : startMs + (pulse * 1000) / options.rate
      const waitMs = dueMs - performance.now()
      if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs))
      if (isLost) {
        counts.left_out++
        continue
      }
      await send(bytes)
      counts.packets++
      counts.readouts += readouts
      counts.bytes += bytes.length
    }
  } finally {
    socket.close()
  }
  if (flags['json'] === true) await context.printJson(counts)
  else
    await context.print(
      `sent ${counts.packets} packets with ${counts.readouts} readouts; ${counts.left_out} packets were left out`
    )
  return exitCodes.done
}

export default generate
