// Ctrl-C ends a tool in good order; a second one ends it at once.

/** Aborted at the first signal; `done` gives the signals back. */
export function untilStopped(): { readonly signal: AbortSignal; readonly done: () => void } {
  const controller = new AbortController()
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const stop = (): void => {
    done()
    controller.abort()
  }
  const done = (): void => {
    for (const name of names) process.removeListener(name, stop)
  }
  for (const name of names) process.on(name, stop)
  return { signal: controller.signal, done }
}

/** Gives words to `show` not more often than a person can read them. */
export function paced(show: (text: string) => void): (text: () => string) => void {
  let shownMs = performance.now()
  return (text) => {
    const now = performance.now()
    if (now - shownMs < 500) return
    shownMs = now
    show(text())
  }
}
