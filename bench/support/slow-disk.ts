// Loaded before a program (--import): every positioned write takes as long as on a disk of SLOW_DISK_MB_S.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const perByteMs = 1000 / (Number(process.env['SLOW_DISK_MB_S'] ?? '100') * 1e6)
const original = fs.writeSync
const never = new Int32Array(new SharedArrayBuffer(4))

// Only the form that plugins/service-filewriter/file uses is slowed down: buffer, offset, length, position.
function writeSync(...args: Parameters<typeof fs.writeSync>): number {
  const written = original(...args)
  if (typeof args[0] === 'number' && args[0] > 2) Atomics.wait(never, 0, 0, written * perByteMs)
  return written
}
fs.writeSync = writeSync as typeof fs.writeSync
syncBuiltinESMExports()
