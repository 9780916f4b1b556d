import assert from 'node:assert/strict'
import fc from 'fast-check'
import { alarmOfCodes } from '../shared/alarm.js'
import { CaChannel } from './channel.js'
import { type CaValue } from './dbr.js'
import { Rechecks } from './recheck.js'

type Step =
  'post' | 'enable' | 'read' | 'send' | { readonly put: number; readonly severity: number; readonly ns: number }

const listener = {
  onConnect: () => undefined,
  onValue: () => undefined,
  onAccess: () => undefined,
  onDisconnect: () => undefined
}
const valueOf = (value: number, severity: number, ns: number): CaValue => ({
  dtype: 'float64',
  value: severity === 2 ? { dtype: 'float64', length: 1, bytes: Buffer.from([value, 0, 0, 0, 0, 0, 0, 0]) } : value,
  alarm: alarmOfCodes(severity, severity),
  timestampNs: BigInt(ns)
})

/** A channel at a server that sends its events late and in order; the answer to a read is sent at once. */
class Model {
  readonly delivered: CaValue[] = []
  /** Events that came to the client. */
  readonly sent: CaValue[] = []
  readonly channel = new CaChannel({ name: 'PV', isText: false, isAlwaysArray: false }, 1, listener)
  readonly rechecks = new Rechecks((_channel, value) => this.delivered.push(value))
  readonly queue: CaValue[] = []
  record = valueOf(0, 0, 0)
  isEnabled = false

  step(step: Step): void {
    if (step === 'send') this.send()
    else if (step === 'enable') this.isEnabled = true
    else if (step === 'post') this.queue.push(this.record)
    else if (step === 'read') this.rechecks.read(this.channel, this.record, 0)
    else {
      this.record = valueOf(step.put, step.severity, Number(this.record.timestampNs) + step.ns)
      if (this.isEnabled) this.queue.push(this.record)
    }
  }

  send(): void {
    for (const event of this.queue.splice(0, 1)) {
      this.sent.push(event)
      if (this.channel.isRechecked) this.rechecks.update(this.channel, event)
      this.delivered.push(event)
    }
  }
}

const put = (leastNs: number) =>
  fc.record({
    put: fc.integer({ min: 0, max: 3 }),
    severity: fc.integer({ min: 0, max: 2 }),
    ns: fc.integer({ min: leastNs, max: 2 })
  })
const steps = (leastNs: number) => fc.array(fc.oneof(put(leastNs), fc.constant<Step>('send')), { maxLength: 6 })
/** Puts and deliveries at any time around what the server does in this order. */
const histories = (leastNs: number) =>
  fc
    .tuple(steps(leastNs), steps(leastNs), steps(leastNs), steps(leastNs))
    .map(([a, b, c, d]): Step[] => [...a, 'post', ...b, 'enable', ...c, 'read', ...d])

function run(history: readonly Step[]): Model {
  const model = new Model()
  model.rechecks.begin(model.channel, 0)
  for (const step of history) model.step(step)
  while (model.queue.length > 0) model.send()
  model.rechecks.tick(() => true)
  return model
}

describe('values read behind their subscription', () => {
  for (const leastNs of [0, 1])
    it(`the last value is never missed, and every update is delivered once (times at least ${leastNs} ns apart)`, () => {
      fc.assert(
        fc.property(histories(leastNs), (history) => {
          const { delivered, sent, record, channel } = run(history)
          const last = delivered.at(-1)!
          assert.deepEqual([last.value, last.alarm], [record.value, record.alarm])
          const added = delivered.filter((value) => !sent.includes(value))
          assert.ok(added.length <= 1)
          assert.deepEqual(
            delivered.filter((value) => sent.includes(value)),
            sent
          )
          assert.ok(delivered.every(({ timestampNs }, i) => i === 0 || timestampNs >= delivered[i - 1]!.timestampNs))
          assert.equal(channel.isRechecked, false)
        }),
        { numRuns: 5000 }
      )
    })

  it('what was missed between two updates comes between them', () => {
    const at = (value: number): Step => ({ put: value, severity: 0, ns: 1 })
    const { delivered } = run([at(1), 'post', at(2), 'enable', 'read', 'send', at(3), 'send'])
    assert.deepEqual(
      delivered.map(({ value }) => value),
      [1, 2, 3]
    )
  })

  it('nothing is delivered when the server answers with an error, or sends no first value', () => {
    const model = new Model()
    for (const answer of [undefined, valueOf(1, 0, 1)]) {
      model.rechecks.begin(model.channel, 0)
      model.rechecks.read(model.channel, answer, 0)
      model.rechecks.tick(() => true)
    }
    assert.deepEqual(model.delivered, [])
    assert.equal(model.channel.isRechecked, false)
  })

  it('an answer may come late', () => {
    const model = new Model()
    model.rechecks.begin(model.channel, 0)
    const tick = (nowMs: number): void => model.rechecks.tick((sinceMs, ms) => nowMs - sinceMs > ms)
    model.step('post')
    model.send()
    model.step({ put: 2, severity: 0, ns: 1 })
    tick(50_000)
    model.rechecks.read(model.channel, model.record, 51_000)
    tick(55_000)
    assert.equal(model.delivered.length, 1)
    tick(57_000)
    assert.deepEqual(
      model.delivered.map(({ value }) => value),
      [0, 2]
    )
    model.rechecks.begin(model.channel, 60_000)
    tick(121_000)
    assert.equal(model.channel.isRechecked, false)
  })

  it('a channel that is gone is forgotten', () => {
    const model = new Model()
    model.rechecks.begin(model.channel, 0)
    model.step('post')
    model.send()
    model.step({ put: 5, severity: 0, ns: 1 })
    model.step('read')
    model.rechecks.end(model.channel)
    model.rechecks.tick(() => true)
    assert.deepEqual(
      model.delivered.map(({ value }) => value),
      [0]
    )
  })
})
