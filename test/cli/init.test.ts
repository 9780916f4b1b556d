// `nexstream init`: what it writes is good, in any combination of answers; nothing is written over.
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { checkStructure } from '../../plugins/service-filewriter/structure/structure.js'
import { type Answers, roles } from '../../plugins/tools-init/answers.js'
import { filesFor } from '../../plugins/tools-init/files.js'
import { parseConfigText } from '../../core/config.js'
import { loadPlugins } from '../../core/loader.js'
import { lookupOf } from '../../core/lookup.js'
import { nexstream } from './child.js'

describe('nexstream init', function () {
  this.timeout(120_000)
  let folder: string
  before(() => (folder = mkdtempSync(join(tmpdir(), 'nexstream-init-'))))
  after(() => rmSync(folder, { recursive: true }))

  it('writes files that pass check, by flags', async () => {
    const place = join(folder, 'by flags')
    const all = ['--instrument', 'LARMOR', '-b', 'a:9092,b:9092,c:9092', '--roles', roles.join(','), '--pvs', 'SE:TEMP,pva://MOT:X "1"'] // prettier-ignore
    const wrong = await nexstream(['init', place, ...all])
    assert.match(
      wrong.stderr,
      /^CLI_USAGE: 'pva:\/\/MOT:X "1"' is no PV; write NAME, ca:\/\/NAME, pva:\/\/NAME or sim:\/\/NAME/
    )
    const given = all.with(-1, 'SE:TEMP,pva://MOT:X"1"')
    const { code, stdout, stderr } = await nexstream(['init', place, ...given, '--yes'])
    assert.equal(code, 0, stderr)
    const names = ['files', 'nexstream.service', 'nexstream.toml', 'structure.json']
    assert.deepEqual(readdirSync(place).toSorted(), names)
    assert.deepEqual(stdout.trim().split('\n').map((path) => path.slice(place.length + 1)).toSorted(), names.slice(1)) // prettier-ignore
    const files = [join(place, 'nexstream.toml'), join(place, 'structure.json')]
    const checked = await nexstream(['check', ...files])
    assert.deepEqual([checked.code, checked.stdout], [0, ''], checked.stderr)
    const config = readFileSync(files[0]!, 'utf8')
    for (const part of ['LARMOR_commands', '"MOT:X\\"1\\"", protocol = "pva"', 'replication = 3', '[services.simulator]']) assert.ok(config.includes(part), part) // prettier-ignore
    assert.match(readFileSync(join(place, 'nexstream.service'), 'utf8'), /^ExecStart=\S+ \S+main\.js run --set reporters\.systemd=true "\S+by flags\/nexstream\.toml"$/m) // prettier-ignore
  })

  it('asks for what it is not told, again after an answer that is wrong', async () => {
    const place = join(folder, 'asked')
    const input = 'no good\nESTIA\n\nfilewriter\n\n'
    const { code, stderr } = await nexstream(['init', place], { input })
    assert.equal(code, 0, stderr)
    assert.match(stderr, /^Name of the instrument \[asked\] \n'no good' is no name of an instrument/)
    assert.match(stderr, /\nKafka brokers, host:port,… \[localhost:9092\] \n/)
    assert.doesNotMatch(stderr, /PVs/)
    const config = readFileSync(join(place, 'nexstream.toml'), 'utf8')
    assert.ok(config.includes('instrument = "ESTIA"') && config.includes('["localhost:9092"]'))
    assert.ok(!config.includes('services.forwarder'))
    const many = await nexstream(['init', join(folder, 'many')], { input: `${'no good\n'.repeat(20)}ESTIA\n\n\n\n\n` })
    assert.deepEqual([many.code, /Warning/.test(many.stderr)], [0, false], many.stderr)
    const short = await nexstream(['init', join(folder, 'short')], { input: 'ESTIA\n' })
    assert.deepEqual([short.code, readdirSync(folder).includes('short')], [2, false])
    assert.match(short.stderr, /CLI_USAGE: no answer; give --brokers, or --yes to take the usual/)
  })

  it('writes over nothing unless told to, and then nothing at all', async () => {
    const place = join(folder, 'there')
    await nexstream(['init', place, '--yes'])
    rmSync(join(place, 'nexstream.toml'))
    writeFileSync(join(place, 'structure.json'), 'mine')
    const { code, stderr } = await nexstream(['init', place, '--yes'])
    assert.equal(code, 2)
    assert.match(stderr, /^CLI_USAGE: structure\.json, nexstream\.service in \S+ would be written over; .*--force/)
    assert.deepEqual(readdirSync(place).toSorted(), ['files', 'nexstream.service', 'structure.json'])
    assert.equal(readFileSync(join(place, 'structure.json'), 'utf8'), 'mine')
    assert.equal((await nexstream(['init', place, '--yes', '--force'])).code, 0)
    assert.notEqual(readFileSync(join(place, 'structure.json'), 'utf8'), 'mine')
  })

  it('writes through no link that leads nowhere', async () => {
    const [place, elsewhere] = [join(folder, 'linked'), join(folder, 'elsewhere.json')]
    mkdirSync(place)
    symlinkSync(elsewhere, join(place, 'structure.json'))
    const { code, stderr } = await nexstream(['init', place, '--yes'])
    assert.equal(code, 2)
    assert.match(stderr, /^CLI_USAGE: structure\.json in \S+ would be written over/)
    assert.deepEqual([readdirSync(place), existsSync(elsewhere)], [['structure.json'], false])
  })

  it('makes good configs and structures of any answers', async () => {
    const loaded = await loadPlugins({ plugins: [], baseFolder: '.' })
    const parts = lookupOf(loaded.host)
    const word = fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/)
    const pv = fc.stringMatching(/^[!-~éµ]{1,30}$/).filter((text) => !text.includes(','))
    const answers: fc.Arbitrary<Answers> = fc.record({
      instrument: word,
      brokers: fc.array(fc.constantFrom('a:1', 'b.example.org:9092', '[::1]:9092'), { minLength: 1, maxLength: 4 }),
      roles: fc.subarray([...roles], { minLength: 1 }),
      pvs: fc.uniqueArray(fc.record({ name: pv, protocol: fc.constantFrom('ca' as const, 'pva' as const, 'sim' as const) }), { maxLength: 4 }), // prettier-ignore
      detector: fc.option(pv, { nil: undefined })
    })
    try {
      fc.assert(
        fc.property(answers, (given) => {
          const files = filesFor(given, '/data/a "b"')
          const { kafka, services } = parseConfigText(files.get('nexstream.toml') ?? '', 'made.toml') as Record<string, Record<string, unknown>> // prettier-ignore
          assert.deepEqual(kafka?.['brokers'], given.brokers)
          const { streams = [] } = (services?.['forwarder'] ?? {}) as { streams?: { channel: string }[] }
          const pvs = given.roles.includes('forwarder') ? given.pvs.map(({ name }) => name) : []
          assert.deepEqual(streams.map(({ channel }) => channel), pvs) // prettier-ignore
          assert.deepEqual(checkStructure(files.get('structure.json') ?? '', parts, { at: '' }).findings, [])
        }),
        { numRuns: 200 }
      )
    } finally {
      await loaded.close()
    }
  })
})
