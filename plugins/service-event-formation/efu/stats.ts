// The counters of a detector as the field's Event Formation Unit names and orders them.
import { type DetectorOptions } from '../options.js'
import { type DetectorProgress } from '../thread/protocol.js'

/** Where its counters are in Graphite: `efu.<family>.0` unless told otherwise. */
export const statsPath = ({ family, stats_path: path }: Pick<DetectorOptions, 'family' | 'stats_path'>): string =>
  path ?? `efu.${family}.0`

/** Name, without the path, and value of each, those that are 0 among them. */
export function statsOf(progress: DetectorProgress, uptimeS: number): (readonly [name: string, value: number])[] {
  const { counters, losses, idleUs } = progress
  const { 'receive.packets': packets = 0, 'receive.bytes': bytes = 0, ...others } = counters
  return [
    ['receive.packets', packets],
    ['receive.bytes', bytes],
    ['receive.dropped', losses.kernel + losses.queue],
    ['receive.fifo_seq_errors', 0],
    ['thread.input_idle', idleUs],
    ['thread.processing_idle', idleUs],
    ...Object.entries(others),
    ['main.uptime', Math.floor(uptimeS)]
  ]
}
