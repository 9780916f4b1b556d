// Wrong things that a person does: each message names what, where, and what to do; none is INTERNAL.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kafka, testTopics } from '../support/kafka.js'
import { said } from './said.js'

type Case = readonly [args: string, code: number, said: RegExp]

const missing = /cannot be read: ENOENT: no such file or directory, (open|stat) 'absent\.\w+'$/m
const folderSaid = /folder(\.nxs)? (cannot be read: it is a folder; name a file in it|is a folder; name a file in it)$/m
const moments = /; write 2026-11-21T12:00:00Z or \+01:00, 10:30, yesterday 10:30 \(UTC without a zone\), ms since 1970, now, -5min/ // prettier-ignore
const away =
  /^KAFKA_UNREACHABLE: .*127\.0\.0\.1:9: connect ECONNREFUSED.*\nhint: is the address right and the broker up\?/
const noBroker =
  /^CLI_USAGE: no broker named; write host:port\/topic, --brokers host:port, or give --config FILE \(NEXSTREAM_CONFIG\)\n$/

/** DEAD is a port where nobody listens. */
const cases: readonly Case[] = [
  // The program
  ['strt', 2, /^CLI_USAGE: unknown command 'strt'\n\(Did you mean start\?\)\nSee 'nexstream help \[command\]'/],
  ['help nothing', 2, /^CLI_USAGE: unknown command 'nothing'; 'nexstream --help' lists them/],
  ['help tial', 2, /^CLI_USAGE: unknown command 'tial' \(did you mean 'tail'\?\)/],
  ['--verson', 2, /unknown option '--verson'\n\(Did you mean --version\?\)/],
  ['tail --follw DEAD/a', 2, /unknown option '--follw'\n\(Did you mean --follow\?\)/],
  ['plugins list --color green', 2, /--color green: must be one of auto, always, never/],
  ['plugins lst', 2, /unknown command 'lst'\n\(Did you mean list\?\)/],
  ['show a b', 2, /too many arguments for 'show'. Expected 1 argument but got 2/],
  ['show', 2, /missing required argument 'file'/],
  ['check', 2, /missing required argument 'files'/],
  ['play', 2, /missing required argument 'source'/],
  ['forward', 2, /missing required argument 'pvs'/],
  ['pv get', 2, /missing required argument 'pvs'/],
  ['completion', 2, /missing required argument 'shell'/],
  ['completion tcsh', 2, /no completion for 'tcsh'; there is bash, zsh, fish/],
  ['provision X Y', 2, /too many arguments for 'provision'/],
  ['make-file structure.json', 2, /required option '-o, --output <file>' not specified/],
  ['record a -b DEAD', 2, /required option '-o, --output <file>' not specified/],
  ['write structure.json', 2, /required option '--name <file>' not specified/],
  // Addresses
  ['tail localhost', 2, /no broker named: 'localhost' is taken as a topic; write host:port\/localhost, --brokers/],
  ['topics localhost', 2, /no broker named: 'localhost' is taken as a topic; write host:port\/localhost, --brokers/],
  ['tail localhost:9092', 2, /no topic named; write host:port\/topic/],
  ['tail localhost:99999/a', 2, /^CONFIG_INVALID: kafka: 'localhost:99999' is not host:port at \/kafka\/brokers/],
  ['tail localhost/a', 2, /'localhost\/a' is no address; write host:port\/topic, or only a topic/],
  ['tail http://localhost:9092/a', 2, /'http:\/\/localhost:9092\/a' is no address; write host:port\/topic/],
  ['tail ""', 2, /an empty word is no topic; write host:port\/topic/],
  ['topics -b localhost', 2, /'localhost' is no broker; write host:port/],
  ['topics -b ""', 2, /'' is no broker; write host:port/],
  ['topics -b a:1,,b:2', 2, /'' is no broker; write host:port/],
  ['topics -b "host name:9092"', 2, /'host name:9092' is no address; write host:port/],
  ['tail DEAD/a', 3, away],
  ['topics -b DEAD', 3, away],
  ['play DEAD/a --to-prefix x', 3, away],
  ['record a -b DEAD -o x.mcap', 3, away],
  ['count', 2, noBroker],
  ['sources', 2, noBroker],
  ['start', 2, noBroker],
  ['jobs', 2, noBroker],
  ['status', 2, /no status topic; give --config FILE or --topic TOPIC/],
  ['health "a b"', 2, /'a b' is no address; write host:port, as in localhost:9464/],
  // Configs
  ['topics -c absent.toml', 2, /^CONFIG_FILE: config file absent\.toml cannot be read: ENOENT/],
  ['topics -c silent.toml', 2, /no broker named; .* or kafka\.brokers in silent\.toml\n$/],
  ['topics -c bad.toml', 2, /^CONFIG_FILE: config file bad\.toml: Invalid TOML document/],
  ['topics -c folder', 2, /^CONFIG_FILE: config file folder cannot be read: EISDIR/],
  ['topics -c structure.json', 2, /^CONFIG_INVALID: structure\.json: \/children: unknown key; known are daemon, kafka/],
  ['topics --set kafka.brokers', 2, /'--set kafka\.brokers': write --set section\.key=value/],
  ['topics --set kafak.brokers=a:1', 2, /\/kafak: unknown key; did you mean 'kafka'\?/],
  ['topics --set log.level=loud -b DEAD', 2, /--set log\.level: \/log\/level: must be one of "error", "warn", "info", "debug"/], // prettier-ignore
  ['run', 2, /no config; 'nexstream init' writes one; give a file, \$NEXSTREAM_CONFIG, or --brokers and --set/],
  ['run absent.toml', 2, /^CONFIG_FILE: config file absent\.toml cannot be read/],
  ['run bad.toml', 2, /^CONFIG_FILE: config file bad\.toml/],
  ['run structure.json', 2, /^CONFIG_INVALID: structure\.json: \/children: unknown key/],
  ['provision -c dead.toml', 2, /the config names no topics; give --config FILE with a '\[\[topics\]\]' table/],
  ['send status.json -b DEAD', 2, /no topic for commands or answers; give --config FILE, or --topic COMMANDS --reply-topic ANSWERS/], // prettier-ignore
  ['check absent.toml', 2, missing],
  ['check folder', 2, folderSaid],
  ['check bad.json', 2, /^FILE_READ: bad\.json is no valid JSON/],
  ['check --as confg dead.toml', 2, /--as confg: must be one of config, command, structure/],
  // Moments, durations, numbers
  ['tail DEAD/a --time tomorow', 2, moments],
  ['tail DEAD/a --time 10.30', 2, moments],
  ['tail DEAD/a --time 25:00', 2, moments],
  ['tail DEAD/a --time 2026-13-01', 2, moments],
  ['tail DEAD/a --time -5', 2, /'5' is no duration; write 500ms, 2s, 5min or 1h/],
  ['tail DEAD/a -n -1', 2, /--last: '-1' is no whole number; write 0, 1, 2/],
  ['tail DEAD/a -n 1.5', 2, /--last: '1\.5' is no whole number/],
  ['tail DEAD/a -p x', 2, /--partition: 'x' is no whole number/],
  ['tail DEAD/a --timeout 5', 2, /'5' is no duration; write 500ms, 2s, 5min or 1h/],
  ['record a -b DEAD -o x.mcap --to yesterday', 2, /--to yesterday is in the past; say where to begin with --from/],
  ['write structure.json --name x --for ten', 2, /'ten' is no duration; write 500ms/],
  ['dev --for 10', 2, /'10' is no duration; write 500ms/],
  ['dev --events many', 2, /--events: 'many' is no whole number/],
  // Files
  ['show absent.nxs', 2, missing],
  ['show folder', 2, folderSaid],
  ['show folder.nxs --tree', 2, folderSaid],
  ['show text.nxs', 2, /^FILE_READ: text\.nxs is no HDF5 file/],
  ['show short.nxs', 1, /^HDF5_FAILED: short\.nxs: .*superblock/],
  ['gaps', 2, /missing required argument 'file'/],
  ['gaps absent.nxs -b DEAD', 2, missing],
  ['gaps text.nxs -b DEAD', 2, /^FILE_READ: text\.nxs is no HDF5 file/],
  ['logs absent.log', 2, missing],
  ['logs --level loud', 2, /--level loud: must be one of error, warn, info, debug/],
  ['repair absent.nxs', 2, missing],
  ['repair folder', 2, folderSaid],
  ['repair text.nxs', 1, /^HDF5_FAILED: text\.nxs is not an HDF5 file/],
  ['make-file absent.json -o x.nxs', 2, missing],
  ['make-file folder -o x.nxs', 2, folderSaid],
  ['make-file bad.json -o x.nxs', 2, /^STRUCTURE_INVALID: bad\.json: \/ NeXus structure JSON cannot be parsed/],
  ['make-file list.json -o x.nxs', 2, /^STRUCTURE_INVALID: list\.json: \/ must be an object with children/],
  ['make-file typo.json -o x.nxs', 2, /no writer module 'f145' is loaded \(did you mean 'f14[24]'\?\); there are /],
  ['make-file structure.json absent.mcap -o a.nxs', 2, missing],
  [
    'make-file structure.json text.nxs -o b.nxs',
    2,
    /^FILE_READ: text\.nxs: line 1: .*; each line is one message in JSON/
  ],
  [
    'make-file structure.json structure.json -o b.nxs',
    2,
    /^FILE_READ: structure\.json: line 1: needs a topic; each line/
  ],
  ['make-file structure.json -o text.nxs', 1, /^FILE_EXISTS: text\.nxs exists already/],
  ['make-file structure.json -o absent/x.nxs', 2, /^FILE_PATH: absent\/x\.nxs: the folder does not exist/],
  [
    'make-file structure.json -o c.nxs --compression rar',
    2,
    /'rar' is no compression; write gzip, zstd, lz4, bitshuffle, gzip:6 or zstd:1:shuffle/
  ],
  ['decode absent.bin', 2, missing],
  ['decode folder', 2, folderSaid],
  ['logs folder', 2, folderSaid],
  ['decode text.nxs', 1, /^MESSAGE_BAD: text\.nxs: 6 bytes are no message/],
  ['tail absent.mcap', 2, missing],
  ['tail empty.mcap', 2, /^FILE_READ: empty\.mcap: is no MCAP file/],
  ['tail empty.mcap -f', 2, /empty\.mcap is a recording: there is nothing to follow/],
  ['record a -b DEAD -o x', 2, /-o x: the name of a recording ends in \.mcap/],
  ['record a -b DEAD -o x.mcap --compression rar', 2, /'rar' is no compression; write zstd, lz4, none/],
  ['play absent.mcap -b DEAD', 2, missing],
  ['play text.nxs -b DEAD', 2, /text\.nxs is no HDF5 file/],
  ['play folder.nxs -b DEAD', 2, folderSaid],
  [
    'play structure.json -b DEAD --to-prefix x',
    2,
    /'structure\.json' is a file, neither a topic nor a recording .* 'make-file'/
  ],
  ['tail structure.json -b DEAD', 2, /'structure\.json' is a file, neither a topic nor a recording/],
  ['play empty.nxs -b DEAD --over 0s', 2, /--over 0s: the events need some time, such as 10s/],
  ['status --watch -c dead.toml', 2, /no status topic|--watch repaints a terminal, and the output is none; --json/],
  ['pvs a -b DEAD -w', 2, /--watch repaints a terminal, and the output is none; --json/],
  ['play empty.mcap -b DEAD --speed fast', 2, /--speed fast: write a number such as 10 or 0\.5, or max/],
  ['play empty.mcap -b DEAD --shift then', 2, /--shift then: only 'now' is known/],
  ['play empty.mcap -b DEAD --map a', 2, /--map a: write FROM=TO,FROM=TO/],
  // What a new user takes for another thing
  ['diff text.nxs text.nxs', 2, /^FILE_READ: text\.nxs is no HDF5 file/],
  ['show empty.mcap', 2, /^FILE_READ: empty\.mcap is no HDF5 file/],
  [
    'make-file empty.mcap structure.json -o d.nxs',
    2,
    /empty\.mcap is a recording; the structure comes first: make-file STRUCTURE empty\.mcap/
  ],
  ['make-file structure.json text.nxs -o structure.json', 1, /^FILE_EXISTS: structure\.json exists already/],
  ['produce a empty.mcap -b DEAD', 2, /empty\.mcap is a recording; 'nexstream play empty\.mcap' sends it/],
  ['forward pva:/X --topic t -b DEAD', 2, /'pva:\/X' is no PV; write NAME, ca:\/\/NAME or pva:\/\/NAME/],
  ['pv get sim:/X', 2, /'sim:\/X' is no PV; write NAME/],
  ['init --pvs ca:/X --yes', 2, /'ca:\/X' is no PV; write NAME/],
  [
    'provision silent.toml -c dead.toml',
    2,
    /'silent\.toml' is no instrument name .*; a config is given by --config silent\.toml/
  ],
  ['logs bad.json --from noon', 2, moments],
  ['pvs a -n 3', 2, /unknown option '-n'/],
  ['decode empty.mcap --topic x', 2, /unknown option '--topic'/],
  ['run folder', 2, /^CONFIG_FILE: config file folder cannot be read: EISDIR/],
  ['dev --facility sans', 2, /--facility 'sans': one of amor, isis, muons/],
  ['dev --page-port 99999', 2, /--page-port '99999': a number up to 65535/],
  ['plugins docs IXseblok', 2, /no part or plugin 'IXseblok' \(did you mean 'IXseblock'\?\)/],
  ['generate-readouts loki', 2, /missing required argument 'address'/],
  // Commands
  ['send absent.json -b DEAD', 2, missing],
  ['send bad.json -b DEAD', 2, /^COMMAND_JSON: bad\.json is no valid JSON/],
  ['send list.json -b DEAD', 2, /^COMMAND_JSON: list\.json: a command is a JSON object with a string 'cmd'/],
  ['start filewriter file_name', 2, /'file_name': write key=value, key=@file\.json or key='\[1, 2\]'/],
  ['start filewriter nexus_structure=@absent.json', 2, missing],
  ['forward A', 2, /no topic for the values; give --topic TOPIC/],
  ['pv get A --protocol cs', 2, /nobody speaks 'cs' \(did you mean 'ca'\?\); there are .*amor, ca, .*pva, sim/],
  ['plugins docs f145', 2, /no part or plugin 'f145' \(did you mean 'f14[24]'\?\); see 'nexstream plugins list'/],
  ['kafka --port x', 2, /--port x: not a port/],
  ['init --roles writer --yes', 2, /'writer' is no role; there are forwarder, filewriter/],
  ['init --brokers localhost --yes', 2, /'localhost' is no broker; write host:port/]
]

const words = (line: string): string[] => [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '') // prettier-ignore

describe('wrong things that a person does', function () {
  this.timeout(180_000)
  const here = process.cwd()
  const { NEXSTREAM_BROKERS: brokers, NEXSTREAM_CONFIG: config } = process.env
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-wrong-'))
    const stream = { module: 'f145', config: { topic: 't', source: 's' } }
    const typo = { children: [{ type: 'group', name: 'a', children: [stream] }] }
    const files = {
      'structure.json': '{"children": []}',
      'typo.json': JSON.stringify(typo),
      'status.json': '{"cmd": "status"}',
      'bad.json': 'not json',
      'list.json': '[1, 2]',
      'bad.toml': '[kafka\n',
      'silent.toml': '[log]\nlevel = "info"\n',
      'dead.toml': '[kafka]\nbrokers = ["127.0.0.1:9"]\n',
      'text.nxs': 'hello\n',
      'short.nxs': Buffer.from('894844460d0a1a0a73686f7274', 'hex'),
      'empty.mcap': ''
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    for (const name of ['folder', 'folder.nxs']) mkdirSync(join(folder, name))
    process.chdir(folder)
    delete process.env['NEXSTREAM_BROKERS']
    delete process.env['NEXSTREAM_CONFIG']
  })
  after(() => {
    process.chdir(here)
    if (brokers !== undefined) process.env['NEXSTREAM_BROKERS'] = brokers
    if (config !== undefined) process.env['NEXSTREAM_CONFIG'] = config
    rmSync(folder, { recursive: true, force: true })
  })

  it('are answered by what is wrong, where, and what to do', async () => {
    assert.ok(cases.length >= 90, String(cases.length))
    const wrong: string[] = []
    for (const [line, code, text] of cases) {
      const args = words(line.replaceAll('DEAD', '127.0.0.1:9'))
      const found = await said(line.includes('--timeout') ? args : [...args, '--timeout', '300ms'])
      // Talk of what was understood may stand before it
      const last = found.stderr.replace(/^.* is taken as \d{4}-.*\n/gm, '')
      const isCoded = /^[A-Z0-9_]+: /.test(last) && !/INTERNAL|^\s+at |undefined|\[object/m.test(last)
      if (found.code !== code || !text.test(last) || !isCoded || found.stdout !== '')
        wrong.push(`${line}\n  ${found.code} instead of ${code}: ${last}${found.stdout}`)
    }
    assert.deepEqual(wrong, [])
  })

  it('colours are for terminals, or where they are asked for', async () => {
    const escape = String.fromCharCode(27)
    for (const [args, isPainted] of [
      [[], false],
      [['--color', 'always'], true],
      [['--color', 'never'], false]
    ] as const) {
      const { code, stdout } = await said([...args, 'plugins', 'list'])
      assert.deepEqual([code, stdout.includes(`${escape}[`)], [0, isPainted], args.join(' '))
    }
    await said(['--color', 'auto', 'plugins', 'list'])
  })

  it('a topic that is not there is told with the one that may be meant', async () => {
    const { events } = await testTopics(['events'])
    const address = (await kafka()).brokers[0] ?? ''
    const near = events.replace('events', 'evnets')
    for (const tool of ['tail', 'count', 'sources', 'pvs', 'topics']) {
      const { code, stderr } = await said([tool, `${address}/${near}`])
      assert.equal(stderr, `TOPIC_MISSING: topic ${near} does not exist (did you mean '${events}'?); 'nexstream topics' lists what there is\n`) // prettier-ignore
      assert.equal(code, 1)
    }
    const far = await said(['tail', `${address}/nothing-like-it`])
    assert.match(
      far.stderr,
      /^TOPIC_MISSING: topic nothing-like-it does not exist; create it with 'nexstream provision'/
    )
  })
})
