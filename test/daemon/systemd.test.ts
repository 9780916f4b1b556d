// The daemon under systemd: what it tells a unit of Type=notify, heard on a real socket; and that the units are good.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { packageRoot } from '../../core/root.js'
import { filesFor } from '../../plugins/tools-init/files.js'
import { type Child, start } from '../cli/child.js'
import { kafka, testTopics } from '../support/kafka.js'
import { python } from '../support/python.js'

const has = (command: string): boolean => {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Node has no sockets of this kind. */
const listener = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(s.recv(65536).decode().replace("\\n", "|"), flush=True)
`

describe('under systemd', function () {
  this.timeout(120_000)
  let folder: string
  before(() => (folder = mkdtempSync(join(tmpdir(), 'nexstream-systemd-'))))
  after(() => rmSync(folder, { recursive: true }))

  it('it says that it is ready, what it does, that it is alive, and that it stops', async function () {
    if (!has('systemd-notify')) return this.skip()
    const socket = join(folder, 'notify')
    const heard: string[] = []
    const ear = spawn(await python(), ['-c', listener, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
    let daemon: Child | undefined
    try {
      const lines = createInterface({ input: ear.stdout })
      await once(lines, 'line')
      lines.on('line', (line) => heard.push(line))
      const until = async (isThere: () => boolean): Promise<void> => {
        while (!isThere()) await once(lines, 'line')
      }
      const { commands, status } = await testTopics(['commands', 'status'])
      const config = join(folder, 'nexstream.toml')
      const brokers = JSON.stringify((await kafka()).brokers)
      const text = `kafka = { brokers = ${brokers} }\ncommands = { topic = "${commands}" }\nstatus = { topic = "${status}" }\nreporters = { systemd = true }\nservices = { simulator = {} }\n`
      writeFileSync(config, text)
      daemon = start(['run', config], { env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '2000000' } })
      const count = (word: string): number => heard.filter((line) => line.split('|').includes(word)).length
      await until(() => count('READY=1') === 1 && count('WATCHDOG=1') >= 3)
      assert.ok(
        heard.some((line) => line.includes('STATUS=running: simulator; 0 jobs')),
        heard.join('\n')
      )
      daemon.kill('SIGTERM')
      await until(() => count('STOPPING=1') === 1)
      assert.equal((await daemon.ended).code, 0)
      assert.equal(count('READY=1'), 1)
    } finally {
      await daemon?.close()
      ear.kill('SIGKILL')
    }
  })

  it('the units are ones that systemd takes', async function () {
    if (!has('systemd-analyze')) return this.skip()
    const made = filesFor(
      { instrument: 'A', brokers: ['a:1'], roles: ['forwarder'], pvs: [], detector: undefined },
      folder
    )
    const units = { example: readFileSync(join(packageRoot, 'examples/nexstream.service'), 'utf8'), made: made.get('nexstream.service') ?? '' } // prettier-ignore
    for (const [name, text] of Object.entries(units)) {
      assert.match(text, /^Type=notify$/m)
      const file = join(folder, `${name}.service`)
      writeFileSync(file, text)
      const { stderr } = await promisify((await import('node:child_process')).execFile)('systemd-analyze', ['verify', '--man=no', file]).catch((error: unknown) => error as { stderr: string }) // prettier-ignore
      assert.deepEqual(stderr.split('\n').filter((line) => line.includes(`${name}.service`)), []) // prettier-ignore
    }
  })
})
