// What the service refuses, and says when its thread is gone.
import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'
import { converterParts } from '../../test/support/converters.js'
import { histogramCommand } from '../../test/support/histograms.js'
import { serviceContext } from '../../test/support/service-context.js'
import { notReady } from '../../core/health.js'
import { type DaemonSnapshot, type Job, type JobInfo, type Kafka } from '../../core/api/plugin.js'
import { type StartHistogramsCommand } from './commands/start.js'
import { type HistogramOptions } from './options.js'
import { infoOf, runningJob } from './running-job.js'
import { HistogramService } from './service.js'
import { type JobSpec } from './thread/protocol.js'

const tof = histogramCommand({ kind: 'tof', data_topic: 'data', topic: 'out', tof_range: [0, 100], num_bins: 5 })
const origin = { dialect: 'json', topic: '', replyTopic: '', timestampMs: 0 }

describe('histogram service', () => {
  const cases: readonly (readonly [string, object, string])[] = [
    ['da00', { format: 'da00' }, '/histograms/1/format'],
    ['an44', {}, '/histograms/0/schemas'],
    ['pu00', { periods: { count: 2 } }, '/histograms/1/periods']
  ]
  for (const [missing, keys, path] of cases)
    it(`refuses a histogram that needs ${missing} where no plugin brings it`, async () => {
      const converters = [...(await converterParts()).values()].filter(({ id }) => id !== missing)
      const service = new HistogramService(
        { memory_bytes: 1e9 } as HistogramOptions,
        serviceContext({} as Kafka, { converters })
      )
      const command = { histograms: [tof, histogramCommand({ ...tof, ...keys })] } as unknown as StartHistogramsCommand
      await assert.rejects(
        service.startJob(command, origin),
        (error: { code: string; path: string; message: string }) =>
          error.code === 'CONVERTER_UNKNOWN' &&
          error.path === path &&
          error.message.startsWith(`no converter '${missing}'; loaded: `)
      )
    })

  it('says of a job how far behind it is, by which the daemon is ready or not', () => {
    const spec = { startMs: null, stopMs: null, histograms: [] } as unknown as JobSpec
    const running = runningJob({ id: 'a' } as Job, spec, origin)
    assert.deepEqual([infoOf(running)['behind'], infoOf(running)['behind_s']], [0, 0])
    running.progress = { ...running.progress, behind: 7, behindMs: 61_230 }
    const info: JobInfo = { job_id: 'a', ...infoOf(running) }
    assert.deepEqual([info['behind'], info['behind_s']], [7, 61.2])
    const snapshot = { state: 'running', kafka: { connected: true }, services: {}, jobs: [info] } as unknown as DaemonSnapshot // prettier-ignore
    assert.deepEqual(notReady(snapshot, 60_000), ['job a: 61.2 s behind (status.max_behind)'])
    assert.deepEqual(notReady(snapshot, 62_000), [])
  })

  it('answers a start that its thread does not outlive, and tells of no end', async () => {
    const topics: Kafka['topics'] = (names) => Promise.resolve(names.map((name) => ({ name, partitions: [0] })))
    const converters = [...(await converterParts()).values()]
    const context = serviceContext({ topics } as Kafka, { converters })
    const dying = `require('node:worker_threads').parentPort.once('message', () => process.exit(3))`
    const service = new HistogramService({ memory_bytes: 1e9 } as HistogramOptions, {
      ...context,
      thread: () => new Worker(dying, { eval: true })
    })
    const started = service.startJob({ histograms: [tof] } as unknown as StartHistogramsCommand, origin)
    await assert.rejects(started, { code: 'JOB_FAILED', message: /ended with code 3/ })
    assert.deepEqual(context.events, [])
  })
})
