// `nexstream dev --facility`: a diffractometer of ISIS and a muon instrument, from raw messages to a file.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../support/forwarder/live.js'
import { kafka } from '../support/kafka.js'
import { jsonLines, nexstream, start } from './child.js'

type Message = Readonly<Record<string, unknown>>

describe('nexstream dev --facility', function () {
  this.timeout(300_000)
  let folder: string
  let brokers: string
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-facilities-'))
    brokers = (await kafka()).brokers.join(',')
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** Until events are counted live; gives the path of the file. */
  async function measured(facility: string, service: string): Promise<{ path: string; daemon: Message }> {
    const data = join(folder, facility)
    const args = ['dev', '--facility', facility, '--instrument', `F${randomBytes(4).toString('hex')}`, '-b', brokers, '--events', '32', '--page-port', '0', '--data', data] // prettier-ignore
    const child = start(args, { env: { NEXSTREAM_PYTHON: '/nowhere/python' } })
    let daemon: Message = {}
    try {
      await child.says(/Ctrl-C ends it/, 'stdout')
      await until(async () => {
        ;[daemon = {}] = (await jsonLines(['status', '--json', '--config', join(data, 'nexstream.toml'), '-b', brokers, '--timeout', '60s'])) as Message[] // prettier-ignore
        const job = (daemon['jobs'] as Message[]).find((one) => one['service'] === 'histogram')
        const { frames = 0 } = ((daemon['services'] as Message)[service] ?? {}) as { frames?: number }
        return Number(job?.['events'] ?? 0) > 100 && frames > 20
      }, 120_000)
      child.kill('SIGINT')
      const { code, stdout, stderr } = await child.ended
      assert.equal(code, 0, stderr)
      // Digitisers do not stop at the same frame
      assert.doesNotMatch(stdout.replace(/WARN .* warnings: [1-9] frame_incomplete/, ''), /daemon: .*(ERROR|WARN)/)
    } finally {
      await child.close()
    }
    const [name = ''] = readdirSync(join(data, 'files'))
    return { path: join(data, 'files', name), daemon }
  }

  it('isis: boards become whole frames, and a file that Mantid finds all in', async () => {
    const { path, daemon } = await measured('isis', 'aggregator')
    const { losses } = (daemon['services'] as Record<string, Message>)['aggregator'] ?? {}
    assert.deepEqual(losses, {})
    const { code, stdout } = await nexstream(['check', '--for', 'mantid', path])
    assert.equal(code, 0, stdout)
    const [shown] = await jsonLines(['show', '--json', path])
    const [entry] = shown?.['entries'] as { events: number; log_values: number }[]
    assert.ok(entry !== undefined && entry.events > 600 && entry.log_values > 50, JSON.stringify(entry))
  })

  it('muons: events found in traces become frames, and a file', async () => {
    const { path } = await measured('muons', 'muon_frames')
    const [shown] = await jsonLines(['show', '--json', path])
    const [entry] = shown?.['entries'] as { events: number }[]
    assert.ok(entry !== undefined && entry.events > 500, JSON.stringify(entry))
    const { code, stdout } = await nexstream(['check', '--for', 'mantid,scippnexus', path])
    assert.equal(code, 0, stdout)
  })
})
