// The foreign plugin with each of its methods made to throw or to give something wrong: it harms only itself.
import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, start } from '../cli/child.js'
import { entry, group } from '../filewriter/harness.js'
import { type Control } from '../support/control.js'
import { WholePlugin } from '../support/whole-plugin.js'

type Json = Readonly<Record<string, unknown>>
type Fault = Readonly<{ plugin: string; part: string; method: string; count: number }>

describe('a plugin whose methods fail', function () {
  this.timeout(240_000)
  let folder: string
  let config: string
  let topics: WholePlugin['topics']
  let whole: WholePlugin | undefined
  let control: Control
  const daemons: Child[] = []

  /** At once: the daemon may read it at any moment. */
  function set(faults: Readonly<Record<string, string>>): void {
    const file = join(folder, 'plugin', 'faults.json')
    writeFileSync(`${file}.new`, JSON.stringify(faults))
    renameSync(`${file}.new`, file)
  }

  async function run(...args: string[]): Promise<Child> {
    const daemon = start([...args, 'run', config])
    daemons.push(daemon)
    await daemon.says(/is up as/)
    return daemon
  }

  async function endsWell(daemon: Child, what: string, expected = 0): Promise<string> {
    daemon.kill('SIGTERM')
    const { code, signal, stderr } = await daemon.ended
    assert.deepEqual([code, signal], [expected, null], `${what}: ${stderr}`)
    return stderr
  }

  before(async () => {
    whole = await WholePlugin.open({
      use: './plugin/faulty.mjs',
      daemon: '[daemon]\nstart_timeout = "1s"\nshutdown_timeout = "8s"',
      services: '[services.forwarder]',
      reporters: 'x5f2 = false\n[reporters.prometheus]\nport = 0'
    })
    ;({ folder, config, topics, control } = whole)
    set({})
  })

  after(async () => {
    await Promise.all(daemons.map((daemon) => daemon.close()))
    await whole?.close()
  })

  describe('while the daemon runs', () => {
    let daemon: Child
    let jobs = 0
    before(async () => {
      daemon = await run('-v')
      const lit = await control.send({ cmd: 'light', service: 'lamp', name: 'desk', topic: topics.data })
      assert.equal(lit['response'], 'ACK', JSON.stringify(lit))
      await control.wait(({ topic, value }) => topic === topics.data && value.toString().endsWith('\t1'), 'full brightness') // prettier-ignore
    })

    const status = async (): Promise<Json> => (await control.send({ cmd: 'status' }))['result'] as Json
    const counted = async (part: string, method: string): Promise<number> => {
      const faults = ((await status())['plugin_errors'] ?? []) as Fault[]
      return faults.find((fault) => fault.part === part && fault.method === method)?.count ?? 0
    }

    /** Does something while a method is faulty, and sees the fault counted and named. */
    async function meets(method: string, how: string, part: string, act: () => Promise<unknown>): Promise<void> {
      const [, name = ''] = method.split('.')
      const said = name === 'command' ? 'command dim' : name
      const before = await counted(part, said)
      set({ [method]: how })
      await act()
      for (const end = Date.now() + 60_000; (await counted(part, said)) <= before;) {
        assert.ok(
          Date.now() < end,
          `${method}, ${how}: not counted; ${JSON.stringify((await status())['plugin_errors'])}`
        )
        await sleep(50)
      }
      set({})
      assert.ok(daemon.stderr.includes(`plugin lamps: ${part}: ${said}: `), `${method}, ${how}: ${daemon.stderr}`)
    }

    const job = async (): Promise<unknown> => {
      const id = `job${++jobs}`
      const structure = entry(group('desk', 'lamps', topics.data, 'desk'))
      const times = { start_time: Date.now() - 600_000, stop_time: Date.now() }
      const command = { cmd: 'start', service: 'filewriter', job_id: id, file_name: `${id}.nxs`, ...times }
      const answer = await control.send({ ...command, nexus_structure: structure })
      if (answer['response'] === 'ERR') return answer
      return control.json((json) => json['event'] === 'writing_done' && json['job_id'] === id, `the end of ${id}`)
    }
    const stream = () => ({ channel: 'hall', protocol: 'lamp', converter: 'lm00', topic: topics.data })
    const forward = async (): Promise<Json> => {
      const answer = await control.send({ cmd: 'start', service: 'forwarder', streams: [stream()] })
      await control.send({ cmd: 'status', service: 'forwarder' })
      return answer
    }
    const stopForwarding = (): Promise<Json> => control.send({ cmd: 'stop', service: 'forwarder', all: true })
    const word = async (): Promise<void> => {
      control.producer.send({ topic: topics.words, value: `LAMP light bed ${topics.data}` })
      await control.producer.flush()
    }
    const all = ['throw', 'nothing', 'text', 'never', 'rejected']

    for (const how of all)
      it(`lives with a snapshot of the service: ${how}`, () =>
        meets('service.snapshot', how, 'service lamp', async () => {
          const { services } = (await status()) as { services: Record<string, Json> }
          assert.deepEqual(
            [services['lamp']?.['state'], services['forwarder']?.['state'], services['filewriter']?.['state']],
            ['faulty', 'idle', 'idle']
          )
        }))
    for (const how of ['throw', 'nothing', 'text'])
      it(`lives with a command of the service: ${how}`, () =>
        meets('service.command', how, 'service lamp', async () => {
          const answer = await control.send({ cmd: 'dim', service: 'lamp', name: 'desk', topic: topics.data })
          assert.deepEqual([answer['response'], answer['status']], ['ERR', 500])
        }))
    for (const method of ['source.open', 'converter.open', 'converter.convert'])
      for (const how of all)
        it(`lives with ${method}: ${how}`, async () => {
          const [kind = ''] = method.split('.')
          await meets(method, how, kind === 'source' ? 'source lamp' : 'converter lm00', forward)
          await stopForwarding()
        })
    for (const how of ['alarm', 'nothing', 'text', 'never'])
      it(`lives with an update of the source: ${how}`, async () => {
        await meets('source.update', how, 'source lamp', forward)
        await stopForwarding()
      })
    for (const how of ['throw', 'rejected'])
      it(`lives with the close of a subscription: ${how}`, async () => {
        await forward()
        await meets('source.close', how, 'source lamp', stopForwarding)
      })
    for (const [method, kinds] of Object.entries({
      'converter.peek': ['throw'],
      'converter.decode': all,
      'writer.write': ['throw', 'never', 'rejected'],
      'writer.flush': ['throw', 'never', 'rejected'],
      'writer.close': ['throw', 'never', 'rejected']
    }))
      for (const how of kinds)
        it(`lives with ${method} in a write job: ${how}`, () =>
          meets(method, how, method.startsWith('writer') ? 'writer lamps' : 'converter lm00', async () => {
            const end = (await job()) as Json
            assert.deepEqual([end['verdict'], end['error_encountered']], ['lost', true], JSON.stringify(end))
          }))
    for (const how of all)
      it(`refuses a job whose writer does not open: ${how}`, async () => {
        set({ 'writer.open': how })
        const answer = (await job()) as Json
        set({})
        assert.equal(answer['response'], 'ERR', JSON.stringify(answer))
        assert.match(String(answer['message']), /plugin lamps\] writer lamps: open: /)
      })
    for (const how of ['throw', 'text', 'never', 'rejected'])
      it(`lives with the decode of the dialect: ${how}`, () => meets('dialect.decode', how, 'dialect lamp', word))
    for (const how of all)
      it(`lives with the reply of the dialect: ${how}`, () => meets('dialect.reply', how, 'dialect lamp', word))
    for (const how of ['throw', 'rejected'])
      it(`lives with the reporter: ${how}`, () =>
        meets('reporter.report', how, 'reporter lamp-report', () => Promise.resolve()))
    for (const how of ['throw', 'text', 'never', 'rejected'])
      it(`lives with the hook snapshot: ${how}`, () => meets('hook.snapshot', how, 'hook', status))
    for (const how of ['throw', 'rejected'])
      it(`lives with the hook jobStopped: ${how}`, () => meets('hook.jobStopped', how, 'hook', job))
    for (const how of ['throw', 'rejected'])
      it(`lives with what its timers do: ${how}`, () => meets('plugin.later', how, 'plugin', () => Promise.resolve()))

    it('is as good as before when its faults are over, with metrics of them, and ends in order', async () => {
      const end = (await job()) as Json
      assert.deepEqual([end['verdict'], end['error_encountered']], ['complete', false], JSON.stringify(end))
      const { services } = (await status()) as { services: Record<string, Json> }
      assert.equal(services['lamp']?.['state'], 'lit')
      const url = /http:\S+\/metrics/.exec(daemon.stderr)?.[0] ?? ''
      const text = await (await fetch(url)).text()
      assert.match(text, /^nexstream_plugin_errors_total\{plugin="lamps",part="service lamp",method="snapshot"\} \d/m)
      assert.match(daemon.stderr, /boom in service\.snapshot .*stack=Error: boom/)
      await endsWell(daemon, 'after all faults')
    })
  })

  for (const how of ['throw', 'nothing', 'text', 'never', 'rejected'])
    it(`lives with a service and a reporter that do not open or start, and ends: ${how}`, async () => {
      set({ 'service.open': how, 'reporter.open': how })
      const opening = await run()
      const answer = (await control.send({ cmd: 'status' }))['result'] as { services: Record<string, Json> }
      assert.equal(answer.services['lamp']?.['state'], 'faulty')
      assert.match(String(answer.services['lamp']?.['error']), /open: /)
      assert.equal(answer.services['filewriter']?.['state'], 'idle')
      await endsWell(opening, `open: ${how}`)
      if (how === 'nothing' || how === 'text') return // Awaited: nothing wrong with it
      set({ 'service.start': how })
      const starting = await run()
      const after = (await control.send({ cmd: 'status' }))['result'] as { services: Record<string, Json> }
      assert.match(String(after.services['lamp']?.['error']), /^start: /)
      const refused = await control.send({ cmd: 'dim', service: 'lamp', name: 'desk', topic: topics.data })
      assert.match(String(refused['message']), /service 'lamp' does not run here/)
      assert.match(await endsWell(starting, `start: ${how}`), /plugin lamps: service lamp: start: /)
    })

  for (const how of ['throw', 'never', 'rejected'])
    it(`ends in time whatever its last methods do, with 1 if a service was cut off: ${how}`, async () => {
      set({
        'service.retire': how,
        'service.stop': how,
        'reporter.close': how,
        'reporter.report': how,
        'plugin.close': how
      })
      const said = await endsWell(await run(), how, how === 'never' ? 1 : 0)
      assert.match(said, /plugin lamps: service lamp: stop: /)
      assert.match(said, /reporter lamp-report: close: /)
      assert.match(said, /stopped; on the way: /)
    })
})
