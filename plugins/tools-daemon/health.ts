// `nexstream health`: is the daemon alive and ready? For HEALTHCHECK, systemd and probes; asks its HTTP server, or over Kafka without one.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CodedError,
  type DaemonSnapshot,
  exitCodes,
  type ToolContext,
  type ToolFlags,
  type ToolRun
} from '../../core/api/plugin.js'
import { ask } from './tool-kit.js'

const PORT = 9464
const AGAIN_MS = 500

/** What the daemon said; `code` is an exit code. */
interface Health {
  readonly code: number
  readonly words: readonly string[]
}

const health: ToolRun = async ([address], flags, context) => {
  const url = address === undefined ? configuredUrl(context) : given(address)
  const path = flags['live'] === true ? '/healthz' : '/readyz'
  const asked = (ms: number): Promise<Health> =>
    url === undefined ? overKafka(context, flags) : overHttp(`${url}${path}`, ms)
  const endMs = performance.now() + context.timeoutMs
  const leftMs = (): number => Math.max(1, Math.ceil(endMs - performance.now()))
  let verdict = await asked(leftMs())
  while (flags['wait'] === true && verdict.code !== exitCodes.done && leftMs() > AGAIN_MS) {
    await sleep(AGAIN_MS)
    verdict = await asked(leftMs())
  }
  const { code, words } = verdict
  if (flags['json'] === true) await context.printJson({ good: code === exitCodes.done, said: words })
  else for (const line of words) await context.print(context.visible(line))
  return code
}

/** `http://host:port` without a slash at its end. Throws CLI_USAGE. */
function given(address: string): string {
  const url = /^https?:\/\//.test(address) ? address : `http://${address}`
  if (URL.canParse(url)) return url.replace(/\/+$/, '')
  throw new CodedError('CLI_USAGE', `'${address}' is no address; write host:port, as in localhost:${PORT}`)
}

/** Where the config lets the daemon serve its probes; undefined: nowhere, or at a port that nobody can know. */
function configuredUrl({ config }: ToolContext): string | undefined {
  const options = config().reporters['prometheus']
  if (options === undefined || options === false) return undefined
  const { host = '127.0.0.1', port = PORT } = (options === true ? {} : options) as { host?: string; port?: number }
  const near = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host
  return port === 0 ? undefined : `http://${near}:${port}`
}

async function overHttp(url: string, timeoutMs: number): Promise<Health> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
    const words = (await answer.text()).trim().split('\n')
    if (answer.ok || answer.status === 503) return { code: answer.ok ? exitCodes.done : exitCodes.failed, words }
    return { code: exitCodes.failed, words: [`${url} answers ${answer.status}: is it nexstream?`] }
  } catch (error) {
    const { message, cause } = error as Error
    const why = cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : message
    return { code: exitCodes.unreachable, words: [`${url} does not answer: ${why}`] }
  }
}

/** A daemon that answers is alive; its status says the rest. */
async function overKafka(context: ToolContext, flags: ToolFlags): Promise<Health> {
  try {
    const { result } = await ask(context, flags, { cmd: 'status' })
    const { not_ready: reasons = [] } = result as DaemonSnapshot
    return reasons.length === 0
      ? { code: exitCodes.done, words: ['ready'] }
      : { code: exitCodes.failed, words: reasons }
  } catch (error) {
    if (!(error instanceof CodedError) || error.code === 'CLI_USAGE') throw error
    return { code: exitCodes.unreachable, words: [error.message] }
  }
}

export default health
