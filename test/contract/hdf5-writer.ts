// Writes a file of known content: for tests that kill it, read beside it or stop it at a single write.
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { createNexusFile, type NexusFile, type NexusFileOptions } from '../../plugins/service-filewriter/file/file.js'
import { type Column } from '../../plugins/service-filewriter/writer-part.js'

export const EVENTS = 700
const LOGS = 5

export interface KnownFile {
  readonly file: NexusFile
  pulse(): void
  readonly pulses: number
}

/** Events, logs and compressed frames; every pulse appends to all of them. Its memory is lent, and spoilt when it is given back. */
export async function knownFile(path: string, options: NexusFileOptions, events = EVENTS): Promise<KnownFile> {
  const file = await createNexusFile(path, options)
  const entry = file.root.group('entry', { NX_class: 'NXentry' })
  const detector = entry.group('events', { NX_class: 'NXevent_data' })
  const id = detector.column('event_id', { dtype: 'uint32', bulk: true, chunk: 5000 })
  const offset = detector.column('event_time_offset', { dtype: 'uint32', bulk: true, chunk: 3000 })
  const zero = detector.column('event_time_zero', { dtype: 'uint64', index: true, chunk: 16 })
  const index = detector.column('event_index', { dtype: 'uint64', index: true, chunk: 16 })
  const group = entry.group('logs')
  const logs = Array.from({ length: LOGS }, (_, i): [Column, Column] => {
    const log = group.group(`log${i}`, { NX_class: 'NXlog' })
    return [log.column('time', { dtype: 'uint64', index: true, chunk: 7 }), log.column('value', { dtype: 'float64', chunk: 7 })] // prettier-ignore
  })
  const frames = entry.column('frames', { dtype: 'uint16', row: [4, 4], chunk: 10, compression: { filter: 'gzip' } })
  file.begin()
  let pulses = 0
  const pulse = (): void => {
    const first = pulses * events
    const memory = new ArrayBuffer(8 * events)
    const words = new Uint32Array(memory)
    for (let i = 0; i < events; i++) {
      words[i] = first + i
      words[events + i] = (first + i) % 977
    }
    const take = (): void => {
      id.append(new Uint8Array(memory, 0, 4 * events))
      offset.append(new Uint8Array(memory, 4 * events))
    }
    file.lend(memory, take, () => words.fill(0xeeeeeeee))
    zero.appendNumber(pulses * 1000)
    index.appendBigInt(BigInt(first))
    logs.forEach(([time, value], i) => {
      time.appendNumber(pulses)
      value.appendNumber(pulses * 0.5 + i)
    })
    frames.append(new Uint8Array(new Uint16Array(16).fill(pulses % 251).buffer))
    pulses++
  }
  return {
    file,
    pulse,
    get pulses() {
      return pulses
    }
  }
}

function change(file: NexusFile, pulses: number): void {
  const entry = file.group('/entry')
  entry?.dataset(`note${pulses}`, 'late', { dtype: 'string' })
  entry?.attribute(`pulses${pulses}`, pulses)
  entry?.link(`far${pulses}`, 'part.nxs:/entry', 'external')
  file.group('/entry/logs/log1')?.datasetAttribute('value', 'pulses', pulses)
}

// Node hdf5-writer.js FILE FSYNC EVENTS: a line with the number of published pulses after each checkpoint, until FILE.stop exists
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [, , path = '', fsync = 'never', events = EVENTS] = process.argv
  const known = await knownFile(path, { fsync: fsync as 'never' | 'checkpoint' }, Number(events))
  while (!existsSync(`${path}.stop`)) {
    for (let i = 0; i < 5; i++) known.pulse()
    // Every other time, as those do who cannot wait
    if (known.pulses % 2 === 0) await known.file.drained()
    known.file.checkpoint()
    process.stdout.write(`${known.pulses}\n`)
    if (known.pulses % 50 === 0) known.file.lateStructure(() => { change(known.file, known.pulses) }) // prettier-ignore
    await delay(2)
  }
  known.file.finish()
  known.file.group('/entry')?.dataset('end', 'done', { dtype: 'string' })
  known.file.close()
}
