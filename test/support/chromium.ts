// The browser of the tests: Debian's Chromium, or the one that NEXSTREAM_TEST_CHROMIUM names.
import { execFileSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome']

function onPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** Path of the browser; in CI, where there is none, it is installed. Throws what to do. */
export function findChromium(): string {
  const found = process.env['NEXSTREAM_TEST_CHROMIUM'] ?? onPath()
  if (found !== undefined) return found
  if (process.env['CI'] !== undefined && process.getuid?.() === 0) {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'pipe' })
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], { stdio: 'pipe' })
    const installed = onPath()
    if (installed !== undefined) return installed
  }
  throw new Error(
    'no Chromium found: install one (Debian: apt-get install chromium), or name it in NEXSTREAM_TEST_CHROMIUM'
  )
}

/** A browser that calls nobody by itself. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: findChromium(),
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync'
    ]
  })
