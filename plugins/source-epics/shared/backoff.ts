// Growing, jittered waiting times.

/** ms to wait before attempt `attempt` (0 first): doubles from `firstMs` up to `capMs`, ± 25 % so that clients spread out. */
export function backoffMs(attempt: number, firstMs: number, capMs: number, random: () => number = Math.random): number {
  return Math.min(capMs, firstMs * 2 ** Math.min(attempt, 30)) * (0.75 + 0.5 * random())
}
