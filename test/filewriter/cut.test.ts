// A job that is cut before it has begun to read ends at once, and says no more than that.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type KafkaClient, connectKafka } from '../../core/kafka/client.js'
import { type Loaded, loadPlugins } from '../../core/loader.js'
import { lookupOf } from '../../core/lookup.js'
import { kafka, testTopics } from '../support/kafka.js'
import { WatchedJob } from '../support/watched-job.js'
import { entry, group } from './harness.js'

describe('a write job that waits for its start', () => {
  let loaded: Loaded
  let client: KafkaClient
  let folder: string
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-cut-'))
    loaded = await loadPlugins({ plugins: [], baseFolder: '.' })
    client = connectKafka({ brokers: (await kafka()).brokers })
  })
  after(async () => {
    await client?.close()
    await loaded?.close()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  it('ends when it is abandoned, and asks Kafka for nothing more', async () => {
    const { topic } = await testTopics(['topic'])
    const structure = entry(group('pv', 'f144', topic, 'pv'))
    const startMs = Date.now() + 3_600_000
    const job = WatchedJob.start(client, { parts: lookupOf(loaded.host), folder, structure, startMs, stopMs: null })
    await job.ready
    job.abandon('another daemon has it')
    const { error, report, file } = await job.done
    assert.deepEqual([error, report?.problems], [true, ['ended early: another daemon has it']])
    assert.ok(file.endsWith('.part') && existsSync(file), file)
  })
})
