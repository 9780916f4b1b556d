// The files of an instrument from what is known of it.
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Answers, type Role } from './answers.js'

const cli = fileURLToPath(new URL('../../commands/cli/main.js', import.meta.url))

/** Name → text. `folder` is where they go. */
export function filesFor(answers: Answers, folder: string): ReadonlyMap<string, string> {
  return new Map([
    ['nexstream.toml', configText(answers, folder)],
    ['structure.json', `${JSON.stringify(structureOf(answers), null, 2)}\n`],
    ['nexstream.service', unitText(folder)]
  ])
}

const quoted = (text: string): string => JSON.stringify(text)

const services: Readonly<Record<Role, (answers: Answers, folder: string) => string>> = {
  forwarder: ({ pvs, instrument }) => `[services.forwarder]
default_protocol = "ca"
# the list of streams, as commands have changed it, is there again after a restart
storage_topic = "${instrument}_forwarder_storage"
streams = [
${pvs.map(({ name, protocol }) => `  { channel = ${quoted(name)}, protocol = "${protocol}", converter = "f144", topic = "${instrument}_sample_env" },\n`).join('')}]
`,
  filewriter: (_answers, folder) => `[services.filewriter]
folder = ${quoted(join(folder, 'files'))}
`,
  histogram: () => '[services.histogram]\n',
  simulator: () => '[services.simulator]\n'
}

interface NamedTopic {
  readonly name: string
  readonly retention: string
  readonly why: string
  readonly more?: string
}

function topicsOf({ roles, detector }: Answers): NamedTopic[] {
  const has = (role: Role): boolean => roles.includes(role)
  const events = detector !== undefined || has('simulator')
  return [
    { name: 'commands', retention: '7d', why: 'commands to the daemon; structures may be large', more: 'max_message_bytes = 104857600\n' },
    { name: 'status', retention: '1d', why: 'its answers, status and events' },
    ...(has('forwarder') ? [
      { name: 'sample_env', retention: '30d', why: 'values of PVs' },
      { name: 'forwarder_storage', retention: '365d', why: 'the list of streams' }
    ] : []),
    ...(events ? [{ name: 'events', retention: '2d', why: 'detector events', more: 'max_message_bytes = 20971520\n' }] : []),
    ...(has('simulator') ? [{ name: 'monitor', retention: '2d', why: 'monitor events' }] : []),
    ...(has('histogram') ? [{ name: 'histograms', retention: '10min', why: 'live histograms' }] : [])
  ] // prettier-ignore
}

function configText(answers: Answers, folder: string): string {
  const { instrument, brokers, roles } = answers
  const replication = Math.min(3, brokers.length)
  const topics = topicsOf(answers).map(
    ({ name, retention, why, more = '' }) =>
      `# ${why}\n[[topics]]\nname = "{instrument}_${name}"\nreplication = ${replication}\nretention = "${retention}"\n${more}`
  )
  return `# Made by \`nexstream init\`; what else may stand here is in docs/reference/config.md of the package
#   nexstream check nexstream.toml structure.json
#   nexstream provision --config nexstream.toml
#   nexstream run nexstream.toml
[daemon]
instrument = ${quoted(instrument)}

[kafka]
brokers = [${brokers.map(quoted).join(', ')}]

[commands]
topic = "${instrument}_commands"

[status]
topic = "${instrument}_status"

${roles.map((role) => services[role](answers, folder)).join('\n')}
[reporters]
json = true

# a page at http://127.0.0.1:9465/
[reporters.web]

# metrics and probes at http://127.0.0.1:9464/
[reporters.prometheus]

${topics.join('\n')}`
}

const group = (name: string, nxClass: string, children: readonly unknown[]): unknown => ({
  type: 'group',
  name,
  attributes: { NX_class: nxClass },
  children
})
const dataset = (name: string, values: string): unknown => ({ module: 'dataset', config: { name, values, dtype: 'string' } }) // prettier-ignore

/** `SE:TEMP-1` is `SE_TEMP_1` in the file; what would then be there twice gets a number. */
function namesOf(pvs: Answers['pvs']): string[] {
  const taken = new Set<string>()
  return pvs.map(({ name }) => {
    const plain = name.replaceAll(/[^A-Za-z0-9_]/g, '_')
    let free = plain
    for (let n = 2; taken.has(free); n++) free = `${plain}_${n}`
    taken.add(free)
    return free
  })
}

/** Events and a log for each PV, so that a first file can be written. */
function structureOf({ instrument, pvs, detector }: Answers): unknown {
  const events = (source: string): unknown => group('events', 'NXevent_data', [{ module: 'ev44', config: { topic: `${instrument}_events`, source } }]) // prettier-ignore
  const names = namesOf(pvs)
  const logs = pvs.map(({ name }, i) => group(names[i] ?? '', 'NXlog', [{ module: 'f144', config: { topic: `${instrument}_sample_env`, source: name } }])) // prettier-ignore
  const detectors = detector === undefined ? [] : [group('detector', 'NXdetector', [events(detector)])]
  return {
    children: [
      group('entry', 'NXentry', [
        dataset('title', `${instrument}, first file`),
        group('instrument', 'NXinstrument', [dataset('name', instrument), ...detectors]),
        group('sample', 'NXsample', logs)
      ])
    ]
  }
}

/** For this user, this Node and this installation. */
function unitText(folder: string): string {
  const words = (path: string): string => (/[\s"\\%$]/.test(path) ? `"${path.replaceAll(/["\\]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$')}"` : path) // prettier-ignore
  const config = words(join(folder, 'nexstream.toml'))
  const run = `${words(process.execPath)} ${words(cli)}`
  return `# systemd unit, made by \`nexstream init\` for this installation:
#   sudo cp nexstream.service /etc/systemd/system/ && sudo systemctl enable --now nexstream
[Unit]
Description=nexstream data streaming
Wants=network-online.target
After=network-online.target

[Service]
# systemctl start waits until commands are heard; a daemon that stands still is started again
Type=notify
NotifyAccess=all
WatchdogSec=60s
ExecStart=${run} run --set reporters.systemd=true ${config}
User=${userInfo().username}
WorkingDirectory=${folder.replaceAll('%', '%%')}
Restart=on-failure
RestartSec=5s
# files are finished and messages delivered before the process ends
TimeoutStopSec=60s
NoNewPrivileges=yes

[Install]
WantedBy=multi-user.target
`
}
