// Ctrl-C ends a tool in good order; a second one ends it at once.

/** Aborted, and `ended`, at the first signal; who waits for `ended` keeps the process until `done`, which gives the signals back. */
export function untilStopped(): {
  readonly signal: AbortSignal
  readonly ended: Promise<void>
  readonly done: () => void
} {
  const controller = new AbortController()
  const { signal } = controller
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  let awake: NodeJS.Timeout | undefined
  const stop = (): void => {
    // Not at once: libraries (signal-exit) kill the process by a signal when they find that nobody else hears it
    setImmediate(done)
    controller.abort()
  }
  const done = (): void => {
    clearInterval(awake)
    for (const name of names) process.removeListener(name, stop)
  }
  for (const name of names) process.on(name, stop)
  const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  return {
    signal,
    done,
    get ended() {
      // What runs in other processes keeps nothing alive here
      if (!signal.aborted) awake ??= setInterval(() => undefined, 2 ** 30)
      return ended
    }
  }
}
