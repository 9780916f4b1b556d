// Is everything in the demo's file, exactly once and in order? Asked through h5py, not through our own code.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { terminal } from '../../commands/cli/tool-context.js'
import { packageRoot } from '../../core/root.js'
import { summaryText } from '../../plugins/service-filewriter/tools/show.js'
import { summarise } from '../../plugins/service-filewriter/file/summary.js'
import { readNexus } from '../../test/support/nexus.js'
import { type Steps } from '../../plugins/tools-dev/steps.js'
import { runPython } from '../../test/support/python.js'

/** What was sent, as counted by those who sent it. */
export interface Sent {
  /** Values put into each PV: 1…puts. */
  readonly puts: number
  /** By the event generator. */
  readonly channels: Readonly<Record<string, { readonly pulses: number; readonly events: number }>>
}

interface Events {
  readonly events: number
  readonly offsets: number
  readonly pulses: number
  readonly indices: number
  readonly sorted: boolean
}
interface Log {
  readonly values: readonly number[]
  readonly times: readonly number[]
  readonly severities?: readonly number[]
}
interface Found {
  readonly detector: Events
  readonly monitor: Events
  readonly temperature: Log
  readonly magnetic_field: Log
  readonly angle: Log
}

/** Throws an AssertionError that names the first difference; else says what agreed. */
export async function verify(file: string, { puts, channels }: Sent): Promise<string> {
  // h5py, scippnexus and the validator of nexusformat find nothing wrong
  await readNexus(file, [])
  const found = JSON.parse(await runPython(join(packageRoot, 'examples/demo/verify.py'), [file])) as Found
  const sent = { detector: channels['amor_detector'], monitor: channels['amor_monitor'] }
  for (const name of ['detector', 'monitor'] as const) {
    const { pulses, events } = sent[name] ?? assert.fail(`the generator reports no ${name}`)
    const expected = { events, offsets: events, pulses, indices: pulses, sorted: true }
    assert.deepEqual(found[name], expected, `${name}: events in the file differ from those sent`)
  }
  // The value before the start is there, too: a log says what was so when the measurement began
  const expected = Array.from({ length: puts + 1 }, (_, i) => i)
  for (const name of ['temperature', 'magnetic_field', 'angle'] as const) {
    assert.deepEqual(found[name].values, expected, `${name}: values in the file differ from those put`)
    assert.deepEqual(
      found[name].times,
      found[name].times.toSorted((a, b) => a - b),
      `${name}: times are not in order`
    )
  }
  const changes = (found.temperature.severities ?? []).filter((severity, i, all) => severity !== all[i - 1])
  assert.deepEqual(changes, [0, 1, 2], 'temperature: the alarm must go from none to minor (40 K) to major (80 K)')
  const events = found.detector.events + found.monitor.events
  return `  all there, once, in order: ${events} events, 3 × ${puts + 1} values, alarms none → minor → major`
}

/** The summary of the file for people. */
export async function showFile(file: string, { heading, tell }: Steps): Promise<void> {
  heading(`The file ${file}`)
  tell(summaryText(await summarise(file), terminal))
}
