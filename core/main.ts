// Runs the daemon: config → daemon → signals. Also the entry for embedding: `import { startDaemon } from 'nexstream'`.
import { CodedError } from './api/errors.js'
import { within } from './closing.js'
import { durationMs } from './api/duration.js'
import { requireConfig, type ConfigSources, type LoadedConfig } from './config.js'
import { Daemon } from './daemon.js'

export { requireConfig, loadConfig, printConfig, type DaemonConfig, type LoadedConfig } from './config.js'
export { Daemon } from './daemon.js'
export { CodedError, errorCodes, type ErrorCode } from './api/errors.js'
export { version } from './root.js'

/** Starts a daemon; throws a CodedError when it cannot run. */
export async function startDaemon(
  loaded: LoadedConfig,
  onShutdown: (reason: string) => void = () => undefined
): Promise<Daemon> {
  const daemon = new Daemon(loaded, onShutdown)
  await daemon.start()
  return daemon
}

/**
 * Runs until SIGINT, SIGTERM, SIGHUP (the terminal is gone) or the command `exit`; resolves to the exit code.
 * The first signal stops cleanly within `daemon.shutdown_timeout`, a second one ends the process at once. SIGUSR2 changes the log
 * to debug and back.
 */
export async function runDaemon(sources: ConfigSources): Promise<number> {
  const loaded = requireConfig(sources)
  let shutdown: (reason: string) => void = () => undefined
  const asked = new Promise<string>((resolve) => (shutdown = resolve))
  const signals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const
  let first = true
  for (const [signal, code] of Object.entries(signals)) {
    process.on(signal, () => {
      if (!first) process.exit(code)
      first = false
      shutdown(signal)
    })
  }
  const daemon = new Daemon(loaded, (reason) => shutdown(reason))
  const usual = daemon.logLevel
  process.on('SIGUSR2', () => (daemon.logLevel = daemon.logLevel === 'debug' ? usual : 'debug'))
  process.on('uncaughtException', (error) => {
    if (daemon.blame(error)) return
    process.stderr.write(`${error.stack ?? String(error)}\n`)
    process.exit(1)
  })
  const started = daemon.start()
  // A signal before everything is up ends the start; what the start says to that is no news
  const reason = await Promise.race([asked, started.then(() => asked)])
  return stopWithin(daemon, reason, durationMs(loaded.config.daemon.shutdown_timeout))
}

async function stopWithin(daemon: Daemon, reason: string, timeoutMs: number): Promise<number> {
  try {
    await within(() => daemon.stop(reason), 'the daemon', timeoutMs)
    return daemon.stoppedInTime ? 0 : 1
  } catch (error) {
    if (!(error instanceof CodedError && error.code === 'PLUGIN_TIMEOUT')) throw error
    daemon.log('error', `not stopped within ${timeoutMs / 1000} s; leaving`)
    return 1
  }
}
