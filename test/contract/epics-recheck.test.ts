// What a real IOC did not send between the first value and the subscription is found by reading: the proxy loses that event.
import assert from 'node:assert/strict'
import { isVector } from '../../schemas/index.js'
import { connecting, only, type Recorder } from '../support/epics.js'
import { startProxy } from '../support/epics-proxy.js'
import { startIoc, type Ioc } from '../support/ioc.js'

const [VERSION, EVENT_ADD, READ_NOTIFY, ACCESS_RIGHTS, TIME_DOUBLE] = [0, 1, 15, 22, 20]
const numbers = ['quiet', 'busy', 'sound', 'closed', 'barred'].map(
  (name) => `record(ao, "R:${name}") { field(VAL, "1") field(PINI, "YES") }`
)
const arrays = [['one', 'DOUBLE', 1], ['five', 'DOUBLE', 5], ['many', 'CHAR', 100_000]].map(
  ([name, type, room]) => `record(waveform, "R:${name}") { field(FTVL, "${type}") field(NELM, "${room}") field(PINI, "YES") }`
) // prettier-ignore
const db = [...numbers, ...arrays].join('\n')

/** Takes the messages out of a stream; those that `isHeld` go to `held`, what is returned is the rest. */
function sieve(isHeld: (message: Buffer) => boolean, held: (message: Buffer) => void): (chunk: Buffer) => Buffer {
  let rest = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    const passed: Buffer[] = []
    for (let size: number; rest.length >= 16 && rest.length >= (size = 16 + rest.readUInt16BE(2));) {
      const message = rest.subarray(0, size)
      rest = rest.subarray(size)
      if (isHeld(message)) held(message)
      else passed.push(message)
    }
    return Buffer.concat(passed)
  }
}

const isTime = (message: Buffer, command: number): boolean =>
  message.readUInt16BE(0) === command && message.readUInt16BE(4) === TIME_DOUBLE
const isFive = (event: Buffer): boolean =>
  isTime(event, EVENT_ADD) && event.length === 40 && event.readDoubleBE(32) === 5

/** Resolves at the `count`th call of `tick`. */
function countdown(count: number): { readonly done: Promise<void>; readonly tick: () => void } {
  let resolve: () => void
  const done = new Promise<void>((ready) => (resolve = ready))
  return { done, tick: () => --count === 0 && resolve() }
}

/** Tells the client that it may not read what it just read. */
function bar(answer: Buffer): Buffer {
  const message = Buffer.alloc(16)
  message.writeUInt16BE(ACCESS_RIGHTS, 0)
  answer.copy(message, 8, 12, 16)
  return message
}

const lengths = ({ updates }: Recorder) => updates.flatMap(({ value }) => (isVector(value) ? [value.length] : []))
const values = ({ updates }: Recorder) => updates.filter(({ kind }) => kind === 'value').map(({ value }) => value)

describe('the value of a subscription', function () {
  this.timeout(120_000)
  const connect = connecting()
  let ioc: Ioc

  before(async () => {
    ioc = await startIoc({ kind: 'qsrv2', db })
  })
  after(() => ioc?.stop())

  it('is read behind it, and delivered when its event did not come', async () => {
    const proxy = await startProxy('ca', ioc.caAddress)
    const reads: Buffer[] = []
    const [lost, answers] = [countdown(2), countdown(3)]
    let isLossy = true
    proxy.onClient = sieve(
      (message) => isTime(message, READ_NOTIFY),
      (message) => reads.push(message)
    )
    proxy.onServer = sieve((message) => {
      if (isTime(message, READ_NOTIFY)) answers.tick()
      return isLossy && isFive(message)
    }, lost.tick)
    try {
      const epics = await connect(only([`127.0.0.1:${proxy.udpPort}`], []))
      const [quiet, busy, sound] = ['R:quiet', 'R:busy', 'R:sound'].map((name) => epics.open('ca', name))
      const all = [quiet!, busy!, sound!]
      await Promise.all(all.map((recorder) => recorder.value()))
      await Promise.all(['R:quiet', 'R:busy'].map((name) => ioc.put(name, 5)))
      await lost.done
      isLossy = false
      await ioc.put('R:sound', 5)
      await sound!.value(({ value }) => value === 5)
      assert.equal(reads.length, 3)
      for (const read of reads) proxy.toServer(read)
      await answers.done
      await ioc.put('R:busy', 6)
      await busy!.value(({ value }) => value === 6)
      assert.deepEqual(values(busy!), [1, 5, 6])
      await quiet!.value(({ value }) => value === 5)
      await Promise.all(['R:quiet', 'R:sound'].map((name) => ioc.put(name, 6)))
      await Promise.all(all.map((recorder) => recorder.value(({ value }) => value === 6)))
      for (const recorder of all) assert.deepEqual(values(recorder), [1, 5, 6])
    } finally {
      await proxy.stop()
    }
  })

  it('is forgotten when the channel may not be read any more, and with a channel that is closed', async () => {
    const proxy = await startProxy('ca', ioc.caAddress)
    const reads: Buffer[] = []
    const [lost, answered] = [countdown(2), countdown(2)]
    const pass = sieve(isFive, lost.tick)
    proxy.onClient = sieve(
      (message) => isTime(message, READ_NOTIFY),
      (message) => reads.push(message)
    )
    try {
      const epics = await connect(only([`127.0.0.1:${proxy.udpPort}`], []))
      const barred = epics.open('ca', 'R:barred')
      const closed: Recorder = epics.open('ca', 'R:closed', {}, ({ value }) => {
        if (value === 5) void closed.subscription.close()
      })
      await Promise.all([barred.value(), closed.value()])
      const cid = reads[0]!.readUInt32BE(12)
      proxy.onServer = (chunk) => {
        const answers: Buffer[] = []
        const rest = sieve((message) => isTime(message, READ_NOTIFY), (message) => answers.push(message))(pass(chunk)) // prettier-ignore
        for (const answer of answers.splice(0)) {
          answers.push(answer)
          if (answer.readUInt32BE(12) === cid) answers.push(bar(answer))
          answered.tick()
        }
        return Buffer.concat([...answers, rest])
      }
      await Promise.all(['R:barred', 'R:closed'].map((name) => ioc.put(name, 5)))
      await lost.done
      for (const read of reads) proxy.toServer(read)
      await answered.done
      await ioc.put('R:closed', 6)
      await ioc.put('R:barred', 6)
      await barred.value(({ value }) => value === 6)
      assert.deepEqual(values(barred), [1, 6])
      assert.deepEqual(values(closed), [1, 5])
    } finally {
      await proxy.stop()
    }
  })

  it('of an empty array is an empty array, also where there is room for one element only', async () => {
    const proxy = await startProxy('ca', ioc.caAddress)
    const answers = countdown(1)
    proxy.onServer = sieve(
      (message) => {
        if (isTime(message, READ_NOTIFY)) answers.tick()
        return false
      },
      () => undefined
    )
    try {
      const epics = await connect(only([`127.0.0.1:${proxy.udpPort}`], []))
      const one = epics.open('ca', 'R:one', { array: true })
      await one.value()
      await answers.done
      await ioc.put('R:one', [5])
      await one.value(({ value }) => isVector(value) && value.length === 1)
      assert.deepEqual(lengths(one), [0, 1])
    } finally {
      await proxy.stop()
    }
  })

  it('is asked for by the number of elements where a server knows nothing of current lengths', async () => {
    const proxy = await startProxy('ca', ioc.caAddress)
    proxy.onServer = (chunk) => {
      assert.equal(chunk.readUInt16BE(0), VERSION)
      chunk.writeUInt16BE(12, 6)
      proxy.onServer = (next) => next
      return chunk
    }
    try {
      const epics = await connect(only([`127.0.0.1:${proxy.udpPort}`], []))
      const all = ['R:sound', 'R:five', 'R:many'].map((name) => epics.open('ca', name))
      const [sound, five, many] = await Promise.all(all.map((recorder) => recorder.value()))
      assert.equal(typeof sound!.value, 'number')
      assert.deepEqual([five, many].map((update) => isVector(update!.value) && update!.value.length), [5, 100_000]) // prettier-ignore
      assert.deepEqual(epics.warnings, [])
    } finally {
      await proxy.stop()
    }
  })
})
