// What the docs show as answers, status, heartbeat and metrics is what a real daemon says.
import assert from 'node:assert/strict'
import { type Host } from '../../core/host.js'
import { loadPlugins } from '../../core/loader.js'
import { type DaemonSnapshot } from '../../core/api/plugin.js'
import { packageRoot } from '../../core/root.js'
import { metricTables } from '../../docs/generate/metrics-page.js'
import { recordOn } from '../../docs/generate/record.js'
import { readRecorded, type Recorded } from '../../docs/generate/recorded.js'
import { until } from '../support/forwarder/live.js'
import { kafka } from '../support/kafka.js'

/** The keys of objects, of the first elements of lists, and the types of values; null may become anything. */
function shape(value: unknown): unknown {
  if (value === null) return 'any'
  if (Array.isArray(value)) return value.length === 0 ? 'any' : [shape(value[0])]
  if (typeof value !== 'object') return typeof value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, shape(item)])
  )
}

function fits(a: unknown, b: unknown, at = ''): string[] {
  if (a === 'any' || b === 'any') return []
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b ? [] : [`${at}: ${JSON.stringify(a)} / ${JSON.stringify(b)}`] // prettier-ignore
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].flatMap((key) => {
    if (!Object.hasOwn(a, key) || !Object.hasOwn(b, key)) return [`${at}/${key}: only in ${Object.hasOwn(a, key) ? 'the docs' : 'the answer'}`] // prettier-ignore
    return fits(a[key as keyof typeof a], b[key as keyof typeof b], `${at}/${key}`)
  })
}

describe('docs and a real daemon', function () {
  this.timeout(120_000)
  const documented = readRecorded()
  let said: Recorded
  let snapshot: DaemonSnapshot
  let host: Host

  before(async () => {
    const open = (): number => process.getActiveResourcesInfo().filter((type) => type === 'UDPWrap').length
    const before = open()
    said = await recordOn((await kafka()).brokers, (daemon) => (snapshot = daemon.snapshot()))
    // Else `npm run docs -- --record` would not end
    await until(() => open() === before)
    const loaded = await loadPlugins({ plugins: [], baseFolder: packageRoot })
    host = loaded.host
    await loaded.close()
  })

  it('show the answers to the examples', () => {
    assert.deepEqual(
      said.answers.map(({ command }) => command),
      documented.answers.map(({ command }) => command)
    )
    for (const [i, { command, answer }] of said.answers.entries()) {
      const shown = documented.answers[i]?.answer as { response?: string; status?: number }
      const given = answer as { response?: string; status?: number }
      assert.deepEqual([given.response, given.status], [shown.response, shown.status], JSON.stringify(command))
      assert.equal(given.response, 'ACK', JSON.stringify(given))
      assert.deepEqual(fits(shape(shown), shape(given)), [], JSON.stringify(command))
    }
  })

  it('show the status, the heartbeat and the event', () => {
    for (const key of ['status', 'heartbeat', 'event'] as const)
      assert.deepEqual(fits(shape(documented[key]), shape(said[key])), [], key)
    const inside = ({ heartbeat }: Recorded): unknown =>
      JSON.parse((heartbeat as { status_json: string }).status_json) as unknown
    assert.deepEqual(fits(shape(inside(documented)), shape(inside(said))), [])
  })

  it('list the metrics of the services, all of them and no others', () => {
    const tables = metricTables(host)
    for (const [id, { metrics = [] }] of Object.entries(snapshot.services)) {
      const declared = tables.get(`service ${id}`) ?? {}
      const seen = new Set(metrics.map(({ name }) => name))
      // One with labels may have nothing to count yet
      const expected = Object.keys(declared).filter((name) => seen.has(name) || declared[name]?.labels === undefined)
      assert.deepEqual([...seen].toSorted(), expected.toSorted(), id)
      for (const { name, help, type, labels = {} } of metrics) {
        // Names of another program, on request
        if (!name.startsWith('aggregator_'))
          assert.match(name, type === 'counter' ? /^nexstream_[a-z0-9_]+_total$/ : /^nexstream_[a-z0-9_]+(?<!_total)$/)
        const kind = declared[name]
        assert.deepEqual([help, type, Object.keys(labels)], [kind?.help, kind?.type, kind?.labels ?? []], name)
      }
    }
    for (const part of tables.keys())
      if (part.startsWith('service ')) assert.ok(part.slice(8) in snapshot.services, `${part} was not looked at`)
  })
})
