import assert from 'node:assert/strict'
import { type DaemonSnapshot, type ReporterPart, type Registry, type ServiceContext } from '../../core/api/plugin.js'
import plugin, { Metrics, probes } from './index.js'

const snapshot = {
  version: '1.2.3',
  state: 'waiting for Kafka',
  kafka: { connected: false },
  uptime_s: 7,
  jobs: [{ state: 'running' }, { state: 'running' }],
  services: {
    forwarder: {
      state: 'running',
      metrics: [
        { name: 'nexstream_dropped_total', help: 'h', type: 'counter', value: 3, labels: { reason: 'late' } },
        { name: 'nexstream_dropped_total', help: 'h', type: 'counter', value: 0, labels: { reason: 'full' } }
      ]
    }
  }
} as unknown as DaemonSnapshot

describe('reporter-prometheus', () => {
  it('serves the newest snapshot at /metrics and nothing else', async () => {
    let part: ReporterPart | undefined
    await plugin.apply({ reporter: (given: ReporterPart) => (part = given) } as unknown as Registry, {})
    let said = ''
    const reporter = part?.open({ host: '127.0.0.1', port: 0 }, {
      log: (_level: string, text: string) => (said = text)
    } as unknown as ServiceContext)
    try {
      await reporter?.report(snapshot)
      const url = /http:\S+/.exec(said)?.[0] ?? ''
      for (let scrape = 0; scrape < 2; scrape++) {
        const text = await (await fetch(url)).text()
        assert.match(text, /nexstream_build_info\{version="1\.2\.3"/)
        assert.match(text, /nexstream_dropped_total\{reason="late"\} 3\n/)
        assert.match(text, /nexstream_dropped_total\{reason="full"\} 0\n/)
        assert.match(text, /nexstream_kafka_connected 0\n/)
        assert.match(text, /nexstream_jobs\{state="running"\} 2/)
        assert.match(text, /process_cpu_seconds_total/)
      }
      assert.equal((await fetch(url.replace('/metrics', '/'))).status, 404)
      const probe = async (path: string): Promise<string> => {
        const answer = await fetch(url.replace('/metrics', path))
        return `${answer.status} ${(await answer.text()).trim()}`
      }
      assert.equal(await probe('/health'), '503 waiting for Kafka')
      await reporter?.report({ ...snapshot, not_ready: ['no Kafka broker answers', 'job a: 90 s behind'] })
      assert.equal(await probe('/healthz'), '200 alive')
      assert.equal(await probe('/readyz'), '503 no Kafka broker answers\njob a: 90 s behind')
      assert.match(await (await fetch(url)).text(), /nexstream_ready 0\n/)
      await reporter?.report({ ...snapshot, state: 'running' })
      assert.equal(await probe('/health'), '200 running')
      assert.equal(await probe('/readyz'), '200 ready')
      assert.match(await (await fetch(url)).text(), /nexstream_ready 1\n/)
    } finally {
      await reporter?.close?.()
    }
  })

  it('takes one that tells nothing any more for dead, and one that starts for alive', () => {
    const metrics = new Metrics()
    assert.equal(metrics.silentMs, 0)
    metrics.snapshot = snapshot
    assert.equal(probes['/healthz']?.(metrics).good, true)
    assert.equal(probes['/healthz']?.({ snapshot, silentMs: 61_000 }).good, false)
  })
})
