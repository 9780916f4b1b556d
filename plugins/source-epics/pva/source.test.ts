import assert from 'node:assert/strict'
import { type PvValue, type Update } from '../../../schemas/index.js'
import { PvaSubscription } from './source.js'
import { type PvaClient } from './client.js'
import { MonitorState } from './state.js'
import { Code, type PvType } from './types.js'

const scalar = (code: number): PvType => ({ kind: 'scalar', code, weight: 1 })
const structure = (fields: Record<string, PvType>) =>
  ({
    kind: 'structure',
    weight: 1,
    id: '',
    fields: Object.entries(fields).map(([name, type]) => ({ name, type }))
  }) as const

const value = scalar(Code.FLOAT64)
const alarm = structure({ severity: scalar(Code.INT32), status: scalar(Code.INT32), message: scalar(Code.STRING) })
const display = { units: scalar(Code.STRING), format: scalar(Code.STRING) }
const labels = structure({
  index: scalar(Code.INT32),
  choices: { kind: 'array', code: Code.STRING, fixed: 0, weight: 1 }
})

/** The content of a channel with these fields and, by path, values. */
function content(fields: Record<string, PvType>, values: Record<string, PvValue>): MonitorState {
  const state = new MonitorState(structure(fields))
  const held = new Map(Object.entries(values).map(([path, one]) => [state.indexOf(path), one]))
  state.get = (index) => held.get(index) ?? null
  return state
}

describe('a pvAccess channel that comes back as another type', () => {
  it('keeps nothing that only the type before had: units, precision, labels, alarm', () => {
    const updates: Update[] = []
    const client = { monitor: () => undefined, remove: () => undefined } as unknown as PvaClient
    const subscription = new PvaSubscription(
      client,
      { name: 'PV', isText: false, fields: [], queueSize: 0 },
      (update) => updates.push(update)
    )
    const show = (state: MonitorState): unknown[] => {
      subscription.onConnect(state)
      subscription.onUpdate()
      const { units, precision, enumStrings, alarm } = updates.at(-1)!
      return [units, precision, enumStrings, alarm.severity, alarm.message]
    }
    const number = content(
      { value, alarm, display: structure(display) },
      {
        ...{ value: 1.5, 'display.units': 'mm', 'display.format': '%.3f' },
        ...{ 'alarm.severity': 2, 'alarm.status': 3, 'alarm.message': 'HIHI' }
      }
    )
    const choice = content({ value: labels }, { 'value.index': 1, 'value.choices': ['off', 'on'] })
    assert.deepEqual(show(number), ['mm', 3, null, 2, 'HIHI'])
    assert.deepEqual(show(choice), ['', null, ['off', 'on'], 0, ''])
    assert.deepEqual(show(content({ value }, { value: 1 })), ['', null, null, 0, ''])
    assert.deepEqual(show(number), ['mm', 3, null, 2, 'HIHI'])
    subscription.close()
  })
})
