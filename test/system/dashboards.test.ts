// Every query of the dashboards in docker/ against a real Prometheus that reads a running daemon; the paths of those for Graphite.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { type Daemon, loadConfig, startDaemon } from '../../core/main.js'
import { packageRoot } from '../../core/root.js'
import { Control } from '../support/control.js'
import { until } from '../support/forwarder/live.js'
import { freePorts } from '../../plugins/tools-dev/fetched/ports.js'
import { kafka, testTopics } from '../support/kafka.js'
import { Prometheus, prometheus, type QueryResult } from '../support/prometheus.js'

const run = promisify(execFile)

interface Panel {
  readonly type: string
  readonly title: string
  readonly datasource?: { readonly uid: string }
  readonly targets?: readonly { readonly expr?: string; readonly target?: string }[]
}
const docker = join(packageRoot, 'docker')
const panelsOf = (name: string): readonly Panel[] =>
  (JSON.parse(readFileSync(join(docker, 'grafana/dashboards', `${name}.json`), 'utf8')) as { panels: Panel[] }).panels

describe('dashboards', function () {
  this.timeout(240_000)

  it('stand in the order of the data, and name data sources that there are', () => {
    const file = readFileSync(join(docker, 'grafana/provisioning/datasources/nexstream.yml'), 'utf8')
    const uids = new Set((parse(file) as { datasources: { uid: string }[] }).datasources.map(({ uid }) => uid))
    for (const name of ['nexstream-prometheus', 'nexstream-graphite']) {
      const panels = panelsOf(name)
      const rows = panels.filter(({ type }) => type === 'row').map(({ title }) => title)
      assert.deepEqual(rows, ['In', 'Inside', 'Out', 'Idle'])
      for (const { type, datasource } of panels) assert.ok(type === 'row' || uids.has(datasource?.uid ?? ''))
    }
  })

  it('ask Graphite for paths of the layout ess', () => {
    const known = /^(kafka-to-nexus|forwarder)\.\$host\.\$(writer|forwarder)\.[\w.*]+$/
    for (const { targets = [] } of panelsOf('nexstream-graphite'))
      for (const { target = '' } of targets) {
        const [path = ''] = /(kafka-to-nexus|forwarder)\.\$[^,)]+/.exec(target) ?? []
        assert.match(path, known, target)
      }
  })

  it('come with a compose file whose mounts exist, and that Docker understands where there is one', async () => {
    interface Compose {
      readonly services: Readonly<Record<string, { readonly image?: string; readonly volumes?: readonly string[] }>>
    }
    const { services } = parse(readFileSync(join(docker, 'watch.yml'), 'utf8')) as Compose
    for (const { image = 'x:1', volumes = [] } of Object.values(services)) {
      assert.match(image, /:\w*[\d.]+/, 'a pinned image')
      for (const volume of volumes) assert.ok(existsSync(join(docker, volume.split(':')[0] ?? '')), volume)
    }
    const compose = (...args: string[]): Promise<unknown> => run('docker', ['compose', ...args], { cwd: docker })
    const has = await compose('version').then(
      () => true,
      () => false
    )
    if (has) await compose('-f', 'compose.yml', '-f', 'watch.yml', 'config', '--quiet')
  })

  it('get an answer to every query from a real Prometheus', async function () {
    const missing = await prometheus().then(
      () => undefined,
      (error: Error) => error
    )
    if (missing !== undefined) {
      if (process.env['CI'] !== undefined) throw missing
      process.stderr.write(`${missing.message}\n`)
      return this.skip()
    }
    const { brokers } = await kafka()
    const topics = await testTopics(['commands', 'status', 'values'])
    const folder = mkdtempSync(join(tmpdir(), 'nexstream-dashboards-'))
    const [port = 0] = await freePorts(1)
    const flags = {
      'kafka.brokers': JSON.stringify(brokers),
      'commands.topic': topics.commands,
      'status.topic': topics.status,
      'status.interval': '200ms',
      'log.level': 'error',
      'services.filewriter.folder': folder,
      'services.forwarder.default_protocol': 'sim',
      'services.histogram': '{}',
      'reporters.prometheus.port': String(port)
    }
    const queries = panelsOf('nexstream-prometheus').flatMap(({ targets = [] }) => targets.map(({ expr = '' }) => expr))
    assert.ok(queries.length > 30)
    let daemon: Daemon | undefined
    let server: Prometheus | undefined
    let control: Control | undefined
    try {
      const loaded = loadConfig({ flags })
      assert.deepEqual(loaded.findings, [])
      daemon = await startDaemon(loaded)
      server = await Prometheus.start(`127.0.0.1:${port}`)
      control = await Control.open(brokers, topics.commands, [topics.status])
      const streams = [{ channel: 'counter:1', converter: 'f144', topic: topics.values }]
      assert.equal((await control.send({ cmd: 'start', service: 'forwarder', streams }))['response'], 'ACK')
      const filled = (query: string): string => query.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m')
      const own = server
      const ask = (query: string): Promise<readonly QueryResult[]> => own.query(filled(query))
      let empty: string[] = []
      await until(async () => {
        const answers = await Promise.all(queries.map(async (one) => [one, await ask(one)] as const))
        empty = answers.filter(([, result]) => result.length === 0).map(([one]) => one)
        return empty.length === 0
      }, 90_000).catch(() => assert.deepEqual(empty, []))
      // What the forwarder does is seen by the panel
      const sent = queries.find((one) => one.includes('acknowledged')) ?? ''
      await until(async () => Number((await ask(sent))[0]?.value[1]) > 0, 90_000)
      await assert.rejects(() => ask('sum(nexstream_jobs'), /parse error/)
    } finally {
      await server?.stop()
      await control?.close()
      await daemon?.stop('test over')
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
