// Which thread a write job gets: one that waits loaded, the one of the job before, or a new one.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Worker } from 'node:worker_threads'
import { loadConfig } from '../../core/config.js'
import { loadConfigured } from '../../core/loader.js'
import { startThread, threadConfigOf } from '../../core/thread.js'
import { connectKafka } from '../../core/kafka/client.js'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { type WriteJob } from '../../plugins/service-filewriter/thread/job.js'
import { MadeUpLog } from '../../plugins/service-filewriter/thread/rehearsal/made-up-log.js'
import { type WriteOptions, type WriteSpec } from '../../plugins/service-filewriter/thread/protocol.js'
import { WriteThreads } from '../../plugins/service-filewriter/thread/threads.js'
import { kafka, testTopics } from '../support/kafka.js'
import { dumpFile } from '../support/hdf5.js'

const options: WriteOptions = {
  beforeStartMs: 1000,
  lateDataMs: 0,
  checkpointMs: 1000,
  progressMs: 1000,
  lookBackMs: null,
  lookBackBytes: 2 ** 30,
  lookFurtherBytes: 2 ** 36,
  seekByTime: true,
  onMissingTopic: 'fail',
  fetchBytes: 1 << 20,
  memoryBytes: 1 << 20,
  reportInFile: true,
  readOnly: true,
  sha256: false,
  compression: null
}
const startMs = Date.now() - 600_000

describe('threads of write jobs', () => {
  const made: Worker[] = []
  const ends = new EventEmitter()
  const note = (worker: Worker): void => void made.push(worker.once('exit', () => ends.emit('exit')))
  let folder: string
  let topic: string
  let threads: WriteThreads

  before(async () => {
    const { brokers } = await kafka()
    ;({ log: topic } = await testTopics(['log']))
    const client = connectKafka({ brokers: [...brokers] })
    const producer = client.producer()
    for (let i = 0; i < 10; i++) {
      const atMs = startMs + i
      const value = logF144.encode({ source: 'PV', timestampNs: BigInt(atMs) * 1_000_000n, dtype: 'int32', value: i })
      producer.send({ topic, value, timestampMs: atMs })
    }
    await producer.close()
    await client.close()
  })

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-threads-'))
    const { brokers } = await kafka()
    const flags = { 'kafka.brokers': JSON.stringify(brokers), 'commands.topic': 'unused' }
    const loaded = loadConfig({ flags })
    const config = threadConfigOf(loaded, await loadConfigured(loaded), ['converter', 'writer'])
    threads = new WriteThreads((entry) => startThread(config, entry))
    made.length = 0
    process.on('worker', note)
  })

  afterEach(async () => {
    process.off('worker', note)
    await threads.close()
    rmSync(folder, { recursive: true, force: true })
  })

  function start(name: string, changes: Partial<WriteSpec> = {}): WriteJob {
    const stream = { module: 'f144', config: { topic, source: 'PV', dtype: 'int32' } }
    const spec: WriteSpec = {
      jobId: name,
      structure: { children: [{ type: 'group', name: 'entry', children: [stream] }] },
      structureAt: '',
      leniency: 'strict',
      folder,
      fileName: `${name}.nxs`,
      startNs: BigInt(startMs) * 1_000_000n,
      stopNs: BigInt(startMs + 60_000) * 1_000_000n,
      run: { runName: '', instrumentName: '', periods: null, detectorSpectrumMap: null },
      options,
      ...changes
    }
    return threads.start(spec, () => undefined)
  }

  async function writes(job: WriteJob): Promise<void> {
    await job.ready
    const end = await job.done
    assert.equal(end.error, false, end.message)
    const file = join(folder, `${job.spec.jobId}.nxs`)
    assert.deepEqual((await dumpFile(file))['entry/value']?.value, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  }

  it('takes the one that waits, and uses it again for the jobs that follow', async () => {
    await threads.prepare()
    assert.equal(made.length, 1)
    for (const name of ['first', 'second', 'third']) await writes(start(name))
    assert.equal(made.length, 1)
  })

  it('rehearses a whole job once, in the thread that waits, and leaves nothing behind', async () => {
    // The temporary folder of the thread
    const before = tmpdir()
    process.env['TMPDIR'] = folder
    try {
      await threads.prepare()
    } finally {
      process.env['TMPDIR'] = before
    }
    assert.equal(await threads.rehearse(Infinity), new MadeUpLog(startMs).messages)
    assert.equal(await threads.rehearse(Infinity), 0)
    assert.deepEqual(readdirSync(folder), [])
    await writes(start('first'))
    assert.equal(made.length, 1)
  })

  it('ends a rehearsal when a job comes', async () => {
    await threads.prepare()
    const rehearsed = threads.rehearse()
    await writes(start('urgent'))
    assert.ok((await rehearsed) < new MadeUpLog(startMs).messages)
    await writes(start('next'))
    assert.equal(made.length, 1)
  })

  it('makes one for each job at the same time, and keeps one', async () => {
    await threads.prepare()
    await Promise.all([start('a'), start('b'), start('c')].map(writes))
    assert.equal(made.length, 3)
    while (made.filter(({ threadId }) => threadId !== -1).length > 1) await once(ends, 'exit')
  })

  it('uses one again after a refusal, but not after a job that failed', async () => {
    await threads.prepare()
    const refused = start('refused', { structure: { children: [{ module: 'f144', config: {} }] } })
    await assert.rejects(refused.ready, { code: 'STRUCTURE_INVALID' })
    await refused.done
    await writes(start('after'))
    assert.equal(made.length, 1)
    const failed = start('failed', { stopNs: null })
    await failed.ready
    failed.stopNow('the test says so', 'abort')
    assert.equal((await failed.done).error, true)
    await writes(start('next'))
    assert.ok(made.length > 1)
  })

  it('tells of a thread that dies under a job, and goes on with another', async () => {
    await threads.prepare()
    const job = start('struck', { stopNs: null })
    await job.ready
    await made[0]?.terminate()
    const end = await job.done
    assert.deepEqual([end.error, end.report], [true, null])
    assert.ok(existsSync(join(folder, 'struck.nxs.part')))
    await writes(start('next'))
  })

  it('ends the one that waits when it is closed, loaded or not', async () => {
    const loading = threads.prepare()
    await threads.close()
    await loading
    await threads.prepare()
    assert.equal(made.length, 1)
    assert.equal(made[0]?.threadId, -1)
  })
})
