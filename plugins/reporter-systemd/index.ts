// Reporter: tells systemd that the daemon is up, what it does, and that it is alive (Type=notify, WatchdogSec=).
import { execFile } from 'node:child_process'
import { API, type DaemonSnapshot, definePlugin, defineReporter } from '../../core/api/plugin.js'

const reporter = defineReporter({
  id: 'systemd',
  summary:
    'Tells systemd that the daemon is up, what it does, and that it is alive: for units of Type=notify with WatchdogSec.',
  config: { type: 'object', additionalProperties: false, properties: {} },
  open(_options, context) {
    // Not started by systemd, or by a unit of another type
    if (!process.env['NOTIFY_SOCKET']) return undefined
    const everyMs = watchdogMs(process.env)
    let [aliveMs, isUp, told] = [-Infinity, false, '']
    let isMissing = false
    /** Node has no sockets of this kind, so systemd's own command tells it. */
    const notify = (words: readonly string[]): Promise<void> =>
      new Promise((resolve) => {
        execFile('systemd-notify', words, (error) => {
          if (error !== null && !isMissing) context.log('warn', `systemd-notify: ${error.message}`)
          isMissing = error !== null
          resolve()
        })
      })
    return {
      report(snapshot) {
        const words: string[] = []
        // A line break would begin another variable
        const status = statusOf(snapshot).replaceAll(/\s+/g, ' ')
        if (!isUp && snapshot.state === 'running') words.push('READY=1')
        isUp ||= snapshot.state === 'running'
        if (status !== told) words.push(`STATUS=${(told = status)}`)
        const now = performance.now()
        if (now - aliveMs >= everyMs) {
          aliveMs = now
          words.push('WATCHDOG=1')
        }
        if (words.length > 0) void notify(words)
      },
      close: () => notify(['STOPPING=1', 'STATUS=stopping'])
    }
  }
})

/** Half of the time within which systemd wants to hear something, ms; Infinity: it does not, or not of this process. */
function watchdogMs({ WATCHDOG_USEC: us, WATCHDOG_PID: pid }: NodeJS.ProcessEnv): number {
  const isOurs = pid === undefined || Number(pid) === process.pid
  return us !== undefined && isOurs && Number(us) > 0 ? Number(us) / 2000 : Infinity
}

/** For `systemctl status`. */
function statusOf({ state, services, jobs, not_ready: reasons = [] }: DaemonSnapshot): string {
  if (reasons.length > 0) return `${state}, not ready: ${reasons.join('; ')}`
  const running = jobs.filter(({ ended }) => ended === null).length
  return `${state}: ${Object.keys(services).join(', ')}; ${running} jobs`
}

export default definePlugin({
  name: 'reporter-systemd',
  version: '1.0.0',
  api: API,
  summary: 'Readiness, status and watchdog for systemd.',
  apply: (registry) => registry.reporter(reporter)
})
