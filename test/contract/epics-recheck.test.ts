// What a real IOC did not send between the first value and the subscription is found by reading: the proxy loses that event.
import assert from 'node:assert/strict'
import { connecting, only, type Recorder } from '../support/epics.js'
import { startProxy } from '../support/epics-proxy.js'
import { startIoc, type Ioc } from '../support/ioc.js'

const [EVENT_ADD, READ_NOTIFY, TIME_DOUBLE] = [1, 15, 20]
const db = ['quiet', 'busy', 'sound']
  .map((name) => `record(ao, "R:${name}") { field(VAL, "1") field(PINI, "YES") }`)
  .join('\n')

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
})
