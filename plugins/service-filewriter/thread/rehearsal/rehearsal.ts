// A made-up job through the code of all jobs, so that V8 has compiled it before the first real one comes.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { type ThreadContext } from '../../../../core/api/plugin.js'
import { type FromWorker, type WriteSpec } from '../protocol.js'
import { WriteRun } from '../run.js'
import { RehearsalBroker, TOPIC } from './broker.js'
import { eventSource, logModule, logSources, MadeUpLog } from './made-up-log.js'

const LOOK_MS = 50
/** Its data are so old that its window is over. */
const AGE_MS = 3_600_000

export class Rehearsal {
  #run: WriteRun | undefined
  #stopped = false

  readonly #context: ThreadContext

  constructor(context: ThreadContext) {
    this.#context = context
  }

  /** Ends it: there is something better to do. */
  stop(): void {
    this.#stopped = true
    this.#run?.hear({ type: 'stop_now', stopNs: 0n, how: 'abort', reason: 'a job begins' })
  }

  /** How many messages were written until the thread had been busy for so long, its waiting for a core included. Rejects when a file cannot be made or a part is missing. */
  async perform(mostBusyMs: number): Promise<number> {
    const log = new MadeUpLog(Date.now() - AGE_MS)
    const broker = new RehearsalBroker(log)
    const kafka = this.#context.kafka(() => undefined, [await broker.listen()])
    let folder = ''
    const before = performance.eventLoopUtilization()
    const watch = setInterval(() => {
      if (performance.eventLoopUtilization(before).active > mostBusyMs) this.stop()
    }, LOOK_MS)
    let written = 0
    const hear = (message: FromWorker): void => {
      // What is killed now leaves nothing behind
      if (message.type === 'ready') rmSync(folder, { recursive: true })
      else if (message.type === 'done') written = message.end.report?.written ?? 0
    }
    try {
      folder = mkdtempSync(join(tmpdir(), 'nexstream-rehearsal-'))
      const reader = kafka.reader.bind(kafka)
      this.#run = new WriteRun(specOf(log, folder), this.#context.parts, { kafka, reader }, hear)
      if (!this.#stopped) await this.#run.run()
      return written
    } finally {
      clearInterval(watch)
      await kafka.close()
      broker.close()
      if (folder !== '') rmSync(folder, { recursive: true, force: true })
    }
  }
}

function specOf({ startNs, stopNs }: MadeUpLog, folder: string): WriteSpec {
  const stream = (name: string, module: string, source: string): object => ({
    ...{ type: 'group', name },
    children: [{ module, config: { topic: TOPIC, source } }]
  })
  const logs = logSources.map((source, i) => stream(`log_${i}`, logModule(i), source))
  const children = [stream('events', 'ev44', eventSource), ...logs]
  return {
    jobId: 'rehearsal',
    structure: { children: [{ type: 'group', name: 'entry', children }] },
    structureAt: '',
    leniency: 'strict',
    folder,
    fileName: 'rehearsal.nxs',
    startNs,
    stopNs,
    run: { runName: '', instrumentName: '', periods: null, detectorSpectrumMap: null },
    options: {
      beforeStartMs: 0,
      lateDataMs: 0,
      checkpointMs: 100,
      progressMs: 100,
      lookBackMs: null,
      lookBackBytes: 0,
      lookFurtherBytes: 2 ** 30,
      seekByTime: true,
      onMissingTopic: 'fail',
      fetchBytes: 4 << 20,
      memoryBytes: 4 << 20,
      reportInFile: true,
      readOnly: false,
      sha256: false,
      compression: null,
      fsync: 'never'
    }
  }
}
