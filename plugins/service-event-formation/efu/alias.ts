// `nexstream efu`: a config from the options of the field's Event Formation Unit, printed or run.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitCodes, type ToolRun } from '../../../core/api/plugin.js'
import { jsonOf } from '../json-file.js'
import { aliasConfig, tomlOf } from './alias-config.js'

const efu: ToolRun = async ([family], flags, context) => {
  const detector = await jsonOf(context, flags['file'])
  const kafka = await jsonOf(context, flags['kafka_config'])
  const { config, passedOver, stopAfterS } = aliasConfig(flags, { family, detector, kafka })
  for (const what of passedOver) context.say(`passed over: ${what}`)
  const text = tomlOf(config).trimStart()
  if (flags['print'] === true) {
    await context.print(text.trimEnd())
    return exitCodes.done
  }
  return await run(text, stopAfterS)
}

/** As `nexstream run`, with its exit code; signals are for it. */
async function run(text: string, stopAfterS: number | undefined): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'nexstream-efu-'))
  const [, program = ''] = process.argv
  let timer: NodeJS.Timeout | undefined
  try {
    const file = join(folder, 'efu.toml')
    writeFileSync(file, text)
    const child = spawn(process.execPath, [...process.execArgv, program, 'run', file], { stdio: 'inherit' })
    // A terminal sends Ctrl-C to both
    const pass = (signal: NodeJS.Signals): void => void (signal === 'SIGINT' && process.stdin.isTTY ? 0 : child.kill(signal)) // prettier-ignore
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, pass)
    if (stopAfterS !== undefined) timer = setTimeout(() => child.kill('SIGTERM'), stopAfterS * 1000)
    return await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve(code ?? exitCodes.failed))
    })
  } finally {
    clearTimeout(timer)
    rmSync(folder, { recursive: true, force: true })
  }
}

export default efu
