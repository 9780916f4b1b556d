// Makes the pictures of terminals in docs/images, each of a real run on 80 columns. Run by hand: node dist/test/docs/terminals.js
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { nexstream, program } from '../cli/child.js'
import { kafka, stopSharedKafka } from '../support/kafka.js'
import { OnTerminal } from '../support/terminal.js'
import { terminalSvg } from './terminal-svg.js'

const folder = mkdtempSync(join(tmpdir(), 'nexstream-terminals-'))
const brokers = (await kafka()).brokers.join(',')
const env = { NEXSTREAM_BROKERS: brokers, NEXSTREAM_CONFIG: join(folder, 'amor/nexstream.toml') }
/** Folder and port are those of this run alone. */
const replace = new Map([[folder, '/srv'], [brokers, 'localhost:9092']]) // prettier-ignore
const open: OnTerminal[] = []

async function run(words: string, rows = 40): Promise<OnTerminal> {
  const terminal = await OnTerminal.run([process.execPath, program, ...words.split(' ')], { cwd: folder, env, rows, replace }) // prettier-ignore
  open.push(terminal)
  return terminal
}
function picture(name: string, words: string, { runs }: { runs: ReturnType<OnTerminal['runs']> }): void {
  const svg = terminalSvg(`nexstream ${words}`, runs)
  writeFileSync(join(packageRoot, `docs/images/terminal-${name}.svg`), svg)
  process.stdout.write(`docs/images/terminal-${name}.svg ${svg.length} bytes\n`)
}

try {
  const dev = await run(`dev --data amor --instrument AMOR -b ${brokers} --page-port 0`)
  await dev.shows(/Ctrl-C ends it/)
  picture('dev', 'dev --data amor --instrument AMOR', { runs: dev.runs() })

  const status = await run('status --watch')
  await status.shows(/demo-file +filewriter +running +\S+ +messages=\d{3}/)
  picture('status', 'status --watch', { runs: status.runs() })
  await status.interrupt()
  await dev.interrupt()

  const [file = ''] = readdirSync(join(folder, 'amor/files'))
  const show = await run(`show --tree amor/files/${file}`, 80)
  await show.ended
  picture('show', `show --tree ${file} | head -30`, { runs: show.runs().slice(0, 30) })

  const record = await nexstream(['record', 'AMOR_events', 'AMOR_sample_env', '-o', 'run.mcap', '--from', 'start', '--to', 'now'], { cwd: folder, env }) // prettier-ignore
  if (record.code !== 0) throw new Error(record.stderr)
  const words = 'play run.mcap --shift now --topic AMOR_events'
  const play = await run(words)
  await play.shows(/[4-7]\d %/)
  picture('play', words, { runs: play.runs() })
} finally {
  for (const terminal of open) await terminal.close()
  await stopSharedKafka()
  rmSync(folder, { recursive: true, force: true })
}
