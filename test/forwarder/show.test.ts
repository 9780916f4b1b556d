// What a running forwarder shows: the live table of `nexstream pvs` on a terminal, and a large list in status messages that stay small.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { program } from '../cli/child.js'
import { until } from '../support/forwarder/live.js'
import { type DaemonRunning, end, startDaemonProcess } from '../support/forwarder/process.js'
import { type Ioc, startIoc } from '../support/ioc.js'
import { kafka, testTopics } from '../support/kafka.js'
import { python } from '../support/python.js'

const db = `
record(ao, "L:A") { field(PINI, "YES") field(VAL, "1") field(HIHI, "90") field(HHSV, "MAJOR") }
record(ao, "L:B") { field(PINI, "YES") field(VAL, "2") }
`
/** Runs a program on a terminal of its own, which is large enough. */
const onTerminal = `
import pty, sys
sys.exit(pty.spawn(["sh", "-c", 'stty rows 40 cols 200; exec "$@"', "sh", *sys.argv[1:]]) >> 8)
`
const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, 'g')

describe('what a running forwarder shows', function () {
  this.timeout(240_000)
  let brokers: string[]
  let daemon: DaemonRunning | undefined
  let ioc: Ioc | undefined

  before(async () => {
    ;({ brokers } = await kafka())
  })
  afterEach(async () => {
    await daemon?.stop()
    await ioc?.stop()
    daemon = ioc = undefined
  })

  it('pvs --watch repaints values, alarms and connections as they change', async () => {
    const { values } = await testTopics(['values'])
    ioc = await startIoc({ kind: 'ca', db })
    daemon = await startDaemonProcess(brokers, [ioc], { forwarder: { default_protocol: 'ca' } })
    const streams = ['L:A', 'L:B', 'L:NOBODY'].map((channel) => ({ channel, converter: 'f144', topic: values }))
    await daemon.control.send({ cmd: 'start', service: 'forwarder', streams })
    const args = ['-c', onTerminal, process.execPath, program, 'pvs', values, '--watch', '--brokers', brokers.join()]
    const table = spawn(await python(), args, { stdio: ['pipe', 'pipe', 'inherit'] })
    let painted = ''
    table.stdout.on('data', (chunk: Buffer) => (painted += chunk.toString()))
    /** What was painted since the last call shows it. */
    const shows = async (...rows: RegExp[]): Promise<void> => {
      await until(() => rows.every((row) => row.test(painted.replace(escapes, ''))), 90_000)
      painted = ''
    }
    try {
      await shows(
        /L:A +1 +\S+ +CONNECTED +f144 +1 /,
        /L:B +2 +\S+ +CONNECTED +f144 +1 /,
        /L:NOBODY +- +- +NEVER_CONNECTED /
      )
      await ioc.put('L:A', 95)
      await shows(/L:A +95 +MAJOR +CONNECTED +f144 +2 /)
      await ioc.kill9()
      await shows(/L:A +95 +MAJOR +DISCONNECTED /, /L:B +2 +\S+ +DISCONNECTED /)
      await ioc.restart()
      await shows(/L:A +1 +(?!MAJOR)\S+ +CONNECTED +f144 +3 /, /L:B +2 +\S+ +CONNECTED +f144 +2 /)
    } finally {
      await end(table)
    }
  })

  it('lists thousands of channels page by page', async () => {
    const { values } = await testTopics(['values'])
    daemon = await startDaemonProcess(brokers, [], { forwarder: { default_protocol: 'sim', status_channels: 150 } })
    const { control } = daemon
    const names = Array.from({ length: 2001 }, (_, i) => `S:${String(i).padStart(4, '0')}`)
    const streams = names.map((channel) => ({
      channel,
      converter: 'f144',
      topic: values,
      source_options: { rate: 0.1 }
    }))
    control.said.length = 0
    const { result } = await control.send({ cmd: 'start', service: 'forwarder', streams }, 60_000)
    assert.equal((result as { added: number }).added, names.length)

    interface Page {
      readonly page: number
      readonly pages: number
      readonly total?: number
      readonly channels: readonly { readonly channel: string; readonly state: string }[]
    }
    const pages = (): Page[] =>
      control.said.flatMap(({ json }) => {
        const services = json?.['services'] as Record<string, { channels_page?: Page }> | undefined
        return json?.['type'] === 'nexstream_status' ? (services?.['forwarder']?.channels_page ?? []) : []
      })
    const shown = (): Set<string> => new Set(pages().flatMap(({ channels }) => channels.map(({ channel }) => channel)))
    await until(() => shown().size === names.length, 90_000)
    assert.ok(pages().every(({ channels }) => channels.length <= 150))
    const sizes = control.said
      .filter(({ json }) => json?.['type'] === 'nexstream_status')
      .map(({ value }) => value.length)
    assert.ok(Math.max(...sizes) < 100_000, `${Math.max(...sizes)} bytes`)

    const ask = async (keys: Record<string, unknown>): Promise<Page> =>
      (await control.send({ cmd: 'status', service: 'forwarder', ...keys }))['result'] as Page
    const last = await ask({ page: 2, page_size: 1000 })
    assert.deepEqual([last.page, last.pages, last.total, last.channels.length], [2, 3, 2001, 1])
    const some = await ask({ channels: 'S:12?5' })
    assert.deepEqual(
      some.channels.map(({ channel }) => channel),
      Array.from({ length: 10 }, (_, i) => `S:12${i}5`)
    )
  })
})
