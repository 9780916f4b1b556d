// The virtual reflectometer: same seed same events, exact counts and times, a plausible picture.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { check } from '../../core/check.js'
import { type Context } from '../../core/api/plugin.js'
import { type SourcePart, type Update } from '../../schemas/index.js'
import { COLUMNS, detectorPulse, longestTime, monitorPixel, monitorPulse, ROWS } from './amor.js'
import { next, seedState } from './random.js'
import { parseTimeNs, pulseOffsetNs } from './pulses.js'
import { amor, eventsInPulse } from './source.js'

const int32 = (bytes: Uint8Array): Int32Array => new Int32Array(bytes.slice().buffer)
const part: SourcePart = amor

/** Runs the source to its end and returns what it emitted. */
async function run(options: Record<string, unknown>, onUpdate?: (update: Update) => void): Promise<Update[]> {
  assert.deepEqual(check(part.config, options), [])
  const controller = new AbortController()
  const context: Context = { jobId: 'test', signal: controller.signal, log: () => undefined, count: () => undefined }
  const updates: Update[] = []
  await new Promise<void>((resolve) => {
    part.open(options, context, (update) => {
      updates.push(update)
      onUpdate?.(update)
      if (update.connection === 6) resolve()
    })
  })
  return updates
}

describe('source-instrument', () => {
  it('gives the numbers of xoshiro128**', () => {
    // First outputs of the reference implementation for the state 1, 2, 3, 4
    const state = Int32Array.from([1, 2, 3, 4])
    assert.deepEqual(
      Array.from({ length: 4 }, () => next(state) >>> 0),
      [11520, 0, 5927040, 70819200]
    )
  })

  it('seeds every pulse, channel and seed differently', () => {
    const states = new Set<string>()
    for (let seed = 0; seed < 5; seed++)
      for (let channel = 0; channel < 2; channel++)
        for (const pulse of [0, 1, 2, 2 ** 32, 2 ** 40 + 1]) states.add(seedState(seed, channel, pulse).join())
    assert.equal(states.size, 50)
  })

  it('repeats a pulse from its number alone', () => {
    const [a, b, c] = [detectorPulse(7, 123, 1000), detectorPulse(7, 123, 1000), detectorPulse(8, 123, 1000)]
    assert.deepEqual(a, b)
    assert.notDeepEqual(a.timeOfFlight, c.timeOfFlight)
    assert.notDeepEqual(a.timeOfFlight, detectorPulse(7, 124, 1000).timeOfFlight)
  })

  it('shows a specular line over a flat background, all on the detector', () => {
    const { timeOfFlight, pixelId } = detectorPulse(1, 0, 200_000)
    const image = new Float64Array(ROWS)
    for (const pixel of int32(pixelId)) {
      assert.ok(pixel >= 1 && pixel <= COLUMNS * ROWS)
      image[Math.floor((pixel - 1) / COLUMNS)]!++
    }
    const brightest = image.indexOf(Math.max(...image))
    assert.ok(Math.abs(brightest - 150) <= 1, `brightest row is ${brightest}`)
    const onLine = image.slice(140, 161).reduce((sum, count) => sum + count, 0) / 200_000
    assert.ok(onLine > 0.93 && onLine < 0.97, `share on the line is ${onLine}`)
    for (const time of int32(timeOfFlight)) assert.ok(time >= 0 && time <= longestTime)
  })

  it('has fewer slow neutrons on the sample edge than a flat spectrum, and a monitor of one pixel', () => {
    const { timeOfFlight, pixelId } = monitorPulse(1, 0, 50_000)
    const times = int32(timeOfFlight)
    const peak = times.filter((time) => time > 5e6 && time < 10e6).length
    const tail = times.filter((time) => time > 20e6 && time < 25e6).length
    assert.ok(peak > 5 * tail, `${peak} in the peak, ${tail} in the tail`)
    assert.deepEqual([...new Set(int32(pixelId))], [monitorPixel])
  })

  it('spreads an event rate over the pulses to the event', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 5000, noNaN: true }),
        fc.integer({ min: 1, max: 300 }),
        (perPulse, pulses) => {
          let sum = 0
          for (let n = 0; n < pulses; n++) sum += eventsInPulse(n, perPulse)
          assert.equal(sum, Math.floor(pulses * perPulse))
        }
      )
    )
  })

  it('reads times to the nanosecond and counts pulse times without drift', () => {
    assert.equal(parseTimeNs('2026-01-02T03:04:05.123456789Z'), 1_767_323_045_123_456_789n)
    assert.equal(parseTimeNs('2026-01-02T04:04:05+01:00'), 1_767_323_045_000_000_000n)
    assert.throws(() => parseTimeNs('yesterday'), RangeError)
    assert.equal(pulseOffsetNs(14, 14), 1_000_000_000n)
    assert.equal(pulseOffsetNs(14 * 86_400 * 365, 14), 86_400n * 365n * 1_000_000_000n)
  })

  it('emits every pulse once, in order, and says when it is finished', async () => {
    const updates = await run({
      channel: 'amor_detector',
      pulses: 40,
      event_rate: 1400.5,
      start_time: '2026-01-01T00:00:00.000000001Z',
      paced: false
    })
    assert.deepEqual([updates[0]?.kind, updates.at(-1)?.kind], ['connection', 'connection'])
    const pulses = updates.slice(1, -1)
    assert.deepEqual(
      pulses.map(({ events }) => Number(events?.messageId)),
      Array.from({ length: 40 }, (_, n) => n)
    )
    assert.equal(pulses[14]!.timestampNs - pulses[0]!.timestampNs, 1_000_000_000n)
    assert.equal(pulses[0]!.timestampNs, parseTimeNs('2026-01-01T00:00:00.000000001Z'))
    const events = pulses.reduce((sum, update) => sum + update.events!.timeOfFlight.length, 0)
    assert.equal(events, Math.floor((40 * 1400.5) / 14))
  })

  it('keeps to real time when paced', async () => {
    const before = performance.now()
    await run({ channel: 'amor_monitor', pulses: 6, pulse_rate: 50, events_per_pulse: 1 })
    assert.ok(performance.now() - before >= 99)
  })

  it('emits nothing while paused', async () => {
    const controller = new AbortController()
    const context: Context = { jobId: 'test', signal: controller.signal, log: () => undefined, count: () => undefined }
    const options = { channel: 'amor_detector', pulses: 10, events_per_pulse: 1, paced: false }
    check(part.config, options)
    const seen: number[] = []
    await new Promise<void>((resolve) => {
      const subscription = part.open(options, context, (update) => {
        if (update.events === undefined) return update.connection === 6 ? resolve() : undefined
        seen.push(Number(update.events.messageId))
        if (seen.length !== 4) return
        subscription.pause?.()
        setTimeout(() => {
          assert.equal(seen.length, 4)
          subscription.resume?.()
        }, 20)
      })
    })
    assert.equal(seen.length, 10)
  })

  it('refuses options that are out of range', () => {
    assert.equal(check(part.config, { channel: 'amor_detector', pulse_rate: 0 })[0]?.path, '/pulse_rate')
    assert.equal(check(part.config, { channel: 'detector' })[0]?.path, '/channel')
    assert.equal(check(part.config, { channel: 'amor_detector', start_time: 'now' })[0]?.path, '/start_time')
  })
})
