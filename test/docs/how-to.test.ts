// The how-to pages, as a clone has them and with what npm packs, and the README from their own text: every command is run on a real Kafka and a real daemon, or it is said here why not.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs' // prettier-ignore
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectKafka } from '../../core/kafka/client.js'
import { packageRoot } from '../../core/root.js'
import { encodeMessage } from '../../schemas/index.js'
import { type Child, nexstream, start } from '../cli/child.js'
import { packed, type Packed } from '../cli/packed.js'
import { said } from '../cli/said.js'
import { frameOf, pcap } from '../recording/captures.js'
import { createTopic } from '../support/topics.js'
import { kafka, testTopics } from '../support/kafka.js'
import { chopperFile } from '../support/python.js'
import { blocksOf, Page, type Rule } from './page.js'

const pages = ['README.md', ...readdirSync(join(packageRoot, 'docs/how-to')).map((name) => `docs/how-to/${name}`)]
/** Topics of the pages that hold messages of this moment. */
const T0 = Date.UTC(2026, 10, 21, 10)
const kept = { config: { 'retention.ms': '-1' } }

const root: Rule = { line: /^(sudo|systemctl|journalctl|sysctl|cp|mkdir) /, skip: 'it changes this machine' }
const docker: Rule = { line: /^docker /, skip: 'it needs a Docker engine' }
const dev: Rule = { line: /^npx nexstream dev/, skip: 'test/cli/dev.test.ts runs it' }

for (const isClone of [true, false])
  describe(`the how-to pages by ${isClone ? 'this clone' : 'what npm packs'}`, function () {
    this.timeout(300_000)
    const began = new Date().toISOString()
    const instrument = `AMOR${randomBytes(4).toString('hex')}`
    let folder: string
    let brokers: string
    let config: string
    let daemon: Child | undefined
    let elsewhere: Packed | undefined
    let socket: Socket
    let udp: string

    /** A daemon with a PV, and two equal files. */
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'nexstream-how-to-'))
      brokers = (await kafka()).brokers.join(',')
      if (!isClone) elsewhere = await packed()
      const topics = ['commands', 'status', 'sample_env'].map((name) => `[[topics]]\nname = "{instrument}_${name}"\n`)
      config = join(folder, 'nexstream.toml')
      const stream = `{ channel = "SE:TEMP", protocol = "sim", converter = "f144", topic = "${instrument}_sample_env", source_options = { rate = 20 } }`
      writeFileSync(config, `daemon = { instrument = "${instrument}" }
kafka = { brokers = ${JSON.stringify(brokers.split(','))} }
commands = { topic = "${instrument}_commands" }
status = { topic = "${instrument}_status", interval = "500ms" }
log = { file = "${join(folder, 'daemon.log')}" }
services = { forwarder = { streams = [${stream}] }, filewriter = { folder = ".", late_data_ms = 200 } }
${topics.join('')}`) // prettier-ignore
      write('structure.json', JSON.stringify({ children: [group('entry', 'NXentry', [log('SE:TEMP', `${instrument}_sample_env`)])] })) // prettier-ignore
      write('command.json', '{"cmd": "jobs"}')
      await good('provision', '--config', config)
      daemon = start(['run', config], { cwd: folder })
      await daemon.says(/ is up as /)
      await good('write', join(folder, 'structure.json'), '--config', config, '--name', 'run42.nxs', '--for', '1s', '--wait') // prettier-ignore
      copyFileSync(join(folder, 'run42.nxs'), join(folder, 'again.nxs'))
      socket = createSocket('udp4')
      socket.bind(0, '127.0.0.1')
      await once(socket, 'listening')
      udp = `127.0.0.1:${socket.address().port}`
    })
    after(async () => {
      socket.close()
      await daemon?.close()
      elsewhere?.remove()
      rmSync(folder, { recursive: true, force: true })
    })

    const write = (name: string, text: string | Buffer, where = folder): void => writeFileSync(join(where, name), text)
    async function good(...args: string[]): Promise<void> {
      const { code, stdout, stderr } = await nexstream(args)
      assert.equal(code, 0, `${args.join(' ')}: ${stderr}${stdout}`)
    }
    const group = (name: string, NX_class: string, children: object[]): object => ({ type: 'group', name, attributes: { NX_class }, children }) // prettier-ignore
    const log = (source: string, topic: string): object => group(source.replaceAll(':', '_'), 'NXlog', [{ module: 'f144', config: { topic, source } }]) // prettier-ignore

    /** In a folder of its own below that of the daemon. */
    async function runs(
      name: string,
      rules: readonly Rule[],
      prepare: (place: string) => Promise<Readonly<Record<string, string>>> = async () => Promise.resolve({}),
      env: Readonly<Record<string, string>> = {}
    ): Promise<number> {
      // prettier-ignore
      const place = join(folder, name.replaceAll(/\W/g, '-'))
      mkdirSync(place)
      const replace = new Map(Object.entries({ AMOR: instrument, ...(await prepare(place)) }))
      const from = elsewhere === undefined ? {} : { program: elsewhere.program }
      const page = new Page(name, {
        folder: place,
        rules,
        replace,
        env: { NEXSTREAM_BROKERS: brokers, ...env },
        ...from
      })
      await page.run()
      return page.ran
    }
    /** The first config that a page shows, for the brokers of this test: one replica is all that they can keep. */
    const shown = (page: string): string =>
    blocksOf(page).find(({ language }) => language === 'toml')?.text.replaceAll('replication = 3', 'replication = 1').replaceAll('AMOR', instrument) ?? '' // prettier-ignore

    if (isClone)
      it('all have their commands run here or elsewhere', () => {
        const here = new Set(['README', 'debug', 'event-formation', 'install', 'mantid', 'provision-topics', 'record-and-play', 'repair-a-file', 'run-at-a-facility', 'see-it']) // prettier-ignore
        const elsewhere = new Set(['write-a-plugin']) // test/system/third-party.test.ts
        const withCommands = pages.filter((page) => blocksOf(page).some(({ language }) => language === 'sh'))
        const names = withCommands.map((page) => page.slice(page.lastIndexOf('/') + 1, -'.md'.length))
        assert.deepEqual(new Set(names), new Set([...here, ...elsewhere]))
      })

    if (isClone)
      it('show commands that are good', async () => {
        const commands = pages.flatMap((page) => blocksOf(page).filter(({ language, text }) => language === 'json' && /^\{\s*"cmd"/.test(text)).map(({ text, line }) => ({ text, name: `${page}:${line}` }))) // prettier-ignore
        assert.ok(commands.length > 3)
        const { config } = JSON.parse(readFileSync(join(packageRoot, 'test/samples/event-formation/cbm.json'), 'utf8')) as { config: unknown } // prettier-ignore
        write('cbm.json', JSON.stringify(config))
        const place = process.cwd()
        process.chdir(folder)
        try {
          for (const { text, name } of commands) {
            write('shown.json', text)
            const { code, stderr, stdout } = await said(['check', 'shown.json'])
            assert.equal(code, 0, `${name}: ${stderr}${stdout}`)
          }
        } finally {
          process.chdir(place)
        }
      })

    if (isClone)
      it('README', async () => {
        const prepare = async (place: string): Promise<Record<string, string>> => {
          cpSync(join(packageRoot, 'examples/commands'), join(place, 'examples/commands'), { recursive: true })
          cpSync(join(packageRoot, 'examples/all-in-one.toml'), join(place, 'examples/all-in-one.toml'))
          for (const name of [
            'all-in-one.toml',
            ...readdirSync(join(place, 'examples/commands')).map((one) => `commands/${one}`)
          ]) {
            // prettier-ignore
            const file = join(place, 'examples', name)
            writeFileSync(file, readFileSync(file, 'utf8').replaceAll('AMOR', `README${instrument}`))
          }
          // Of its own: its daemon is to be the only one that hears its commands
          return Promise.resolve({ AMOR: `README${instrument}` })
        }
        await runs('README.md', [
      { line: /^npm (ci|cit)/, skip: 'the demo and the tests have runs of their own' },
      { line: /^npx nexstream kafka/, skip: 'the tests have one' },
      { line: /^npx nexstream run/, stays: / is up as / },
      { line: /--watch/, until: /filewriter/, terminal: true },
      { line: / show /, again: true }
    ], prepare, { NEXSTREAM_REPORTERS__PROMETHEUS: 'false' }) // prettier-ignore
      })

    it('debug', async () => {
      const names = ['nexstream.toml', 'structure.json', 'command.json', 'run42.nxs', 'again.nxs']
      const prepare = async (place: string): Promise<Record<string, string>> => {
        for (const name of names) copyFileSync(join(folder, name), join(place, name))
        return Promise.resolve({})
      }
      await runs('docs/how-to/debug.md', [
      { line: /^nexstream pv monitor/, skip: 'it needs an IOC; test/cli/pv.test.ts runs it' },
      { line: /^nexstream logs/, until: /^/ },
      { line: /--watch/, until: /filewriter|SE:TEMP/, terminal: true },
      { line: /--follow/, until: /SE:TEMP/ }
    ], prepare, { NEXSTREAM_CONFIG: config }) // prettier-ignore
    })

    it('event formation', async () => {
      const prepare = async (place: string): Promise<Record<string, string>> => {
        for (const [sample, name] of [
          ['caen-loki', 'loki'],
          ['caen-bifrost', 'bifrost']
        ] as const) {
          const { config, calibration } = JSON.parse(readFileSync(join(packageRoot, `test/samples/event-formation/${sample}.json`), 'utf8')) as Record<string, unknown> // prettier-ignore
          write(`${name}.json`, JSON.stringify(config), place)
          write(name === 'loki' ? 'loki-calibration.json' : 'calibration.json', JSON.stringify(calibration), place)
        }
        return Promise.resolve({ 'localhost:9000': udp })
      }
      await runs('docs/how-to/event-formation.md', [
      root,
      { line: /^npm run integration/, skip: 'it runs for minutes; test/integration has its parts' }
    ], prepare) // prettier-ignore
    })

    it('install', async () => {
      const facility = join(folder, 'srv')
      await runs('docs/how-to/install.md', [
      root, docker, dev,
      { line: /^(node \.ci\/deb\.js |nexstream provision --config \/etc)/, skip: 'test/docs/debian.test.ts makes the package and looks at its config' },
      { line: /^npm install/, skip: 'test/docs/packed.test.ts has what it holds' },
      { line: /^kubectl /, skip: 'it needs a cluster; test/docs/kubernetes.test.ts looks at its files' },
      { line: /^npx nexstream init/, input: `${instrument}\n${brokers}\n\n\n\n` }
    ], async () => Promise.resolve({ '/srv/nexstream': facility })) // prettier-ignore
    })

    it('Mantid', async () => {
      const prepare = async (place: string): Promise<Record<string, string>> => {
        copyFileSync(join(folder, 'run42.nxs'), join(place, 'run_42.nxs'))
        return Promise.resolve({})
      }
      // Of a file without what Mantid wants: 5 is a finding
      await runs('docs/how-to/mantid.md', [
      { line: /^nexstream check --for/, code: 5 },
      { line: /^StartLiveData/, skip: 'it needs Mantid; test/adara has a listener by its rules' }
    ], prepare) // prettier-ignore
    })

    it('provision topics', async () => {
      const page = 'docs/how-to/provision-topics.md'
      await runs(page, [], async (place) => {
        write('nexstream.toml', shown(page), place)
        return Promise.resolve({ LARMOR: `LARMOR${instrument}` })
      })
    })

    it('record and play', async () => {
      const client = connectKafka({ brokers: brokers.split(',') })
      const producer = client.producer({ lingerMs: 0 })
      const topics = await testTopics(['amor_detector', 'amor_motion', 'loki_detector_samples'], kept)
      for (const name of [topics.amor_detector, topics.amor_motion]) await createTopic(`replay_${name}`)
      const send = async (): Promise<void> => {
        for (let i = 0; i < 10; i++) {
          const timestampMs = T0 + 10 * i
          const ns = `${timestampMs}000000`
          producer.send({ topic: topics.amor_motion, timestampMs, value: encodeMessage('f144', { source_name: 'motor_x', timestamp: ns, value: { type: 'Double', value: { value: i } } }) }) // prettier-ignore
          producer.send({ topic: topics.amor_detector, timestampMs, value: encodeMessage('ev44', { source_name: 'det', message_id: String(i), reference_time: [ns], reference_time_index: [0], time_of_flight: [1, 2], pixel_id: [3, 4] }) }) // prettier-ignore
        }
        const packet = encodeMessage('ar51', { source_name: 'samples', message_id: '1', raw_data: [1, 2, 3] })
        producer.send({ topic: topics.loki_detector_samples, value: packet })
        await producer.flush()
      }
      await send()
      const prepare = async (place: string): Promise<Record<string, string>> => {
        const events = group('events', 'NXevent_data', [{ module: 'ev44', config: { topic: topics.amor_detector, source: 'det' } }]) // prettier-ignore
        write('structure.json', JSON.stringify({ children: [group('entry', 'NXentry', [events, log('motor_x', topics.amor_motion)])] }), place) // prettier-ignore
        const frame = frameOf({ timeUs: 0, port: 9000, payload: Buffer.from('packet') })
        copyFileSync(await chopperFile(), join(place, 'chopper.nxs'))
        write('detector.pcap', pcap([[T0 * 1000, frame]]), place)
        return { 'broker:9092': brokers, 'test:9092': brokers, 'localhost:9092': brokers, 'localhost:9000': udp, ...topics } // prettier-ignore
      }
      try {
        await runs('docs/how-to/record-and-play.md', [
        { line: /^nexstream record .*run42\.mcap$/, until: /20 messages|Ctrl-C/, meanwhile: send },
        { line: /^from mcap/, skip: 'MCAP for Python is not in this environment; test/recording/record.test.ts reads by it' }
      ], prepare, { NEXSTREAM_CONFIG: config }) // prettier-ignore
      } finally {
        await producer.close()
        await client.close()
      }
    })

    it('repair a file', async () => {
      const prepare = async (place: string): Promise<Record<string, string>> => {
        const file = join(place, 'run42.nxs.part')
        copyFileSync(join(folder, 'run42.nxs'), file)
        truncateSync(file, readFileSync(file).length - 1)
        copyFileSync(join(folder, 'structure.json'), join(place, 'structure.json'))
        const structure: unknown = JSON.parse(readFileSync(join(place, 'structure.json'), 'utf8'))
        write('start-command.json', JSON.stringify({ cmd: 'start', service: 'filewriter', file_name: 'run42.nxs', start_time: began, nexus_structure: structure }), place) // prettier-ignore
        return Promise.resolve({})
      }
      // The PV goes on behind the end of the file
      await runs('docs/how-to/repair-a-file.md', [{ line: /^nexstream gaps/, code: 5 }], prepare, {
        NEXSTREAM_CONFIG: config
      })
    })

    it('run at a facility', async () => {
      const page = 'docs/how-to/run-at-a-facility.md'
      await daemon?.close()
      await runs(page, [root, docker, { line: /^nexstream run /, stays: / is up as / }], async (place) => {
        write('nexstream.toml', shown(page).replace('"kafka1:9092", "kafka2:9092"', brokers.split(',').map((one) => JSON.stringify(one)).join()).replace('/data', place), place) // prettier-ignore
        return Promise.resolve({})
      })
    })

    it('see it: elsewhere all of it', async () => {
      assert.equal(await runs('docs/how-to/see-it.md', [docker, dev]), 0)
    })
  })
