// Reading by other threads: what a thread that dies means for the job.
import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'
import { CodedError } from '../../../../core/api/plugin.js'
import { FetchingReader } from './reader.js'
import { FetchThreads } from './threads.js'

const options = { assign: [0, 1, 2].map((partition) => ({ topic: 't', partition, offset: 0 })) }
const isThreadFailure = (error: unknown): boolean =>
  error instanceof CodedError && error.code === 'JOB_FAILED' && /fetch thread.*code 3/.test(error.message)

/** A thread that hears what it is told by the first reader, answers its close, and ends when asked to add a partition. */
const program = `
  const { parentPort } = require('node:worker_threads')
  parentPort.on('message', ({ type, reader }) => {
    if (type === 'add') process.exit(3)
    if (type === 'close') parentPort.postMessage({ type: 'closed', reader })
  })`

describe('a reader by fetch threads', () => {
  let threads: FetchThreads
  let started = 0
  beforeEach(() => {
    started = 0
    threads = new FetchThreads(() => {
      started++
      return new Worker(program, { eval: true })
    })
  })
  afterEach(() => threads.close())

  it('fails when one of them dies, and the next job gets another', async () => {
    const reader = new FetchingReader(threads.take(2), options, () => undefined)
    const waiting = reader.poll(60_000)
    reader.add('t', 3, 0, '')
    await assert.rejects(waiting, isThreadFailure)
    await assert.rejects(reader.poll(0), isThreadFailure)
    await reader.close()
    assert.equal(threads.take(2).length, 2)
    assert.equal(started, 3)
  })

  it('closes when each of them has; nothing comes any more', async () => {
    const reader = new FetchingReader(threads.take(2), options, () => undefined)
    const waiting = reader.poll(60_000)
    await reader.close()
    assert.equal(await waiting, null)
    assert.equal(await reader.poll(0), null)
  })

  it('says that nothing came in time', async () => {
    const reader = new FetchingReader(threads.take(1), options, () => undefined)
    assert.equal(await reader.poll(1), undefined)
    await reader.close()
  })

  it('starts no more threads than are asked for, and keeps them', () => {
    const [first] = threads.take(1)
    assert.deepEqual(threads.take(1), [first])
    assert.equal(threads.take(2)[0], first)
    assert.equal(started, 2)
  })
})
