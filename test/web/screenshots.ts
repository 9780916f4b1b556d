// Makes the pictures of docs/images: each part of the page with live data, light and dark. Run by hand: node dist/test/web/screenshots.js
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Page } from 'playwright-core'
import { encodeMessage } from '../../schemas/index.js'
import { packageRoot } from '../../core/root.js'
import { stopSharedKafka } from '../support/kafka.js'
import { token, Watched } from './page.js'

const folder = join(packageRoot, 'docs/images')
const size = { width: 1000, height: 600 }
/** Of all pictures, in bytes. */
const [MOST_OF_ONE, MOST] = [60_000, 450_000]

/** Smaller than PNG by a factor of five; every browser can make it. */
async function webp(page: Page, png: Buffer): Promise<Buffer> {
  const url = `data:image/png;base64,${png.toString('base64')}`
  const made = await page.evaluate<string>(`(async () => {
    const image = new Image()
    image.src = '${url}'
    await image.decode()
    const canvas = document.createElement('canvas')
    canvas.width = image.width
    canvas.height = image.height
    canvas.getContext('2d').drawImage(image, 0, 0)
    return canvas.toDataURL('image/webp', 0.6)
  })()`)
  return Buffer.from(made.replace(/^.*,/, ''), 'base64')
}

/** Something on every part of the page. */
async function fill({ topics, control, send }: { topics: Watched['topics']; control: Watched['control']; send: Watched['send'] }): Promise<void> {
  const ev44 = (source: string) => ({ module: 'ev44', config: { topic: topics.events, source } })
  const f144 = (source: string) => ({ module: 'f144', config: { topic: topics.values, source, dtype: 'double', value_units: 'K' } })
  const group = (name: string, nx: string, children: object[]) => ({ type: 'group', name, attributes: { NX_class: nx }, children })
  const structure = (log: string): object => ({ children: [group('entry', 'NXentry', [
    group('instrument', 'NXinstrument', [group('detector', 'NXdetector', [group('events', 'NXevent_data', [ev44('amor_detector')])])]),
    group('sample', 'NXsample', [group('temperature', 'NXlog', [f144(log)])])
  ])] })
  await send({ cmd: 'start', service: 'filewriter', job_id: 'run-1041', file_name: 'amor2026n001041.nxs', nexus_structure: structure('SE:TEMP') })
  await send({ cmd: 'start', service: 'filewriter', job_id: 'run-1042', file_name: 'amor2026n001042.nxs', nexus_structure: structure('SE:TEMP') })
  const options = { pulse_rate: 14, events_per_pulse: 2000, seed: 7 }
  await send({ cmd: 'start', service: 'simulator', job_id: 'beam', topic: topics.events, monitor_topic: topics.events, schema: 'ev44', options })
  const amor = { data_topic: topics.events, source: 'amor_detector', topic: topics.histograms }
  const histograms = [
    { id: 'detector', kind: 'image', ...amor, first_pixel: 1, width: 256, height: 256 },
    { id: 'times of flight', kind: 'tof', ...amor, tof_range: [0, 71_428_571], num_bins: 120 }
  ]
  await send({ cmd: 'start', service: 'histogram', job_id: 'live', start_time: 0, histograms })
  const now = Date.now()
  const tell = (name: string, unit: string, value: (i: number) => number, severity = 0): void => {
    const value_ = (i: number) => ({ type: 'Double', value: { value: value(i) } })
    for (let i = 0; i < 60; i++) control.producer.send({ topic: topics.values, value: encodeMessage('f144', { source_name: name, timestamp: BigInt(now - (60 - i) * 2000) * 1_000_000n, value: value_(i) }) })
    control.producer.send({ topic: topics.values, value: encodeMessage('un00', { source_name: name, timestamp: BigInt(now) * 1_000_000n, units: unit }) })
    control.producer.send({ topic: topics.values, value: encodeMessage('al00', { source_name: name, timestamp: BigInt(now) * 1_000_000n, severity, message: severity > 0 ? 'HIGH' : '' }) })
  }
  tell('SE:TEMP', 'K', (i) => 290 + 12 * (1 - Math.exp(-i / 14)) + 0.15 * Math.sin(i), 1)
  tell('SE:FIELD', 'T', (i) => Math.min(5, i / 9))
  tell('INST:SLIT1:GAP', 'mm', (i) => (i < 30 ? 2 : 0.8))
  tell('INST:CHOPPER1:SPEED', 'Hz', (i) => 14 + 0.004 * Math.cos(i / 3))
  tell('INST:SAMPLE:OMEGA', 'deg', (i) => 0.4 + Math.floor(i / 12) * 0.2)
  await control.producer.flush()
} // prettier-ignore

interface Picture {
  readonly name: string
  /** Goes there, and makes it worth a look. */
  readonly show: (page: Page, watched: Watched) => Promise<void>
}
const to = async (page: Page, { address }: Watched, place: string): Promise<void> => void (await page.goto(`${address}#/${place}`)) // prettier-ignore

/** What another picture has asked for. */
async function stopAsked({ control }: Watched): Promise<void> {
  const { result } = await control.send({ cmd: 'status', service: 'histogram' })
  for (const { job_id: id } of (result as { jobs: { job_id: string }[] }).jobs)
    if (id.startsWith('page-')) await control.send({ cmd: 'stop', service: 'histogram', job_id: id, wait: true })
}

const pictures: readonly Picture[] = [
  {
    name: 'overview',
    show: async (page, watched) => {
      await to(page, watched, 'overview')
      await page
        .locator('[data-funnel="run-1042"] .stage-rate', { hasText: '/s' })
        .first()
        .waitFor({ state: 'attached' })
    }
  },
  {
    name: 'jobs',
    show: async (page, watched) => {
      await to(page, watched, 'jobs/live')
      await page.locator('.detail').waitFor()
    }
  },
  {
    name: 'pvs',
    show: async (page, watched) => {
      await to(page, watched, 'pvs')
      await page.locator('[data-pv="SE:TEMP"] button').click()
      await page.locator('.chart canvas').waitFor()
    }
  },
  {
    name: 'detector',
    show: async (page, watched) => {
      await stopAsked(watched)
      await to(page, watched, 'detector')
      await page.locator('[data-spectrum] canvas').first().waitFor()
      for (const [side, value] of Object.entries({ x: 80, y: 144, width: 60, height: 14 })) {
        await page.locator(`[name="roi-${side}"]`).fill(String(value))
      }
      await page.locator('button', { hasText: '+ Polygon' }).click()
      const image = page.locator('.image')
      const box = (await image.boundingBox())!
      for (const [x, y] of [
        [40, 60],
        [215, 60],
        [200, 105],
        [128, 122],
        [56, 105],
        [40, 60]
      ] as const)
        await image.click({ position: { x: (x / 256) * box.width, y: (1 - y / 256) * box.height } })
      if (await page.locator('button', { hasText: 'Give the token' }).first().isVisible()) {
        await page.locator('button', { hasText: 'Give the token' }).first().click()
        await page.locator('#token').fill(token)
        await page.keyboard.press('Enter')
      }
      await page.locator('button', { hasText: 'Count the spectra' }).click()
      await page.locator('[data-spectrum*=", regions"] canvas').first().waitFor()
      await page.evaluate('scrollTo(0, 0)')
    }
  },
  {
    name: 'rates',
    show: async (page, watched) => {
      await to(page, watched, 'rates')
      await page.locator('[data-source="amor_detector"] button').click()
      await page.locator('.chart canvas').waitFor()
    }
  },
  {
    name: 'messages',
    show: async (page, watched) => {
      await to(page, watched, `messages/${watched.topics.events}`)
      await page.locator('button', { hasText: 'Latest' }).click()
      await page.locator('tr', { hasText: 'amor_monitor' }).first().locator('button').click()
      await page.locator('.hex').waitFor()
    }
  },
  {
    name: 'commands',
    show: async (page, watched) => {
      await to(page, watched, 'commands/filewriter/stop')
      await page.locator('button', { hasText: 'Example 2' }).click()
    }
  },
  {
    name: 'files',
    show: async (page, watched) => {
      await to(page, watched, 'files/run-1041')
      for (const path of ['/entry', '/entry/instrument', '/entry/sample']) await page.locator(`[data-path="${path}"] > summary`).click({ position: { x: 4, y: 8 } })
      await page.locator('[data-path="/entry/sample/temperature"] > summary button').click()
      await page.locator('.chart canvas').waitFor()
    } // prettier-ignore
  }
]

/** Where whole pages go, wide and narrow, for those who look at them. */
const forEyes = process.env['NEXSTREAM_PNG']

async function takeAll(to: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [1280, 390]) {
      const { page, context } = await watched.tab({ viewport: { width, height: 800 }, colorScheme })
      for (const { name, show } of pictures) {
        await show(page, watched)
        await page.screenshot({ path: join(to, `${name}-${colorScheme}-${width}.png`), fullPage: true })
      }
      await context.close()
    }
}

const watched = await Watched.open()
try {
  await fill({ topics: watched.topics, control: watched.control, send: (command) => watched.send(command) })
  const begin = Date.now()
  await watched.control.wait(() => Date.now() - begin > 8000, 'some data')
  await watched.send({ cmd: 'stop', service: 'filewriter', job_id: 'run-1041' })
  await watched.control.wait(() => watched.control.said.some(({ json }) => json?.['event'] === 'writing_done'), 'the end of a file').catch(() => undefined) // prettier-ignore
  mkdirSync(folder, { recursive: true })
  let total = 0
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, context } = await watched.tab({ viewport: size, colorScheme })
    for (const { name, show } of pictures) {
      await show(page, watched)
      await page.evaluate('document.fonts.ready.then(() => true)')
      const made = await webp(page, await page.screenshot())
      total += made.length
      if (made.length > MOST_OF_ONE) throw new Error(`${name} has ${made.length} bytes`)
      writeFileSync(join(folder, `page-${name}-${colorScheme}.webp`), made)
      process.stdout.write(`page-${name}-${colorScheme}.webp ${made.length} bytes\n`)
    }
    await context.close()
  }
  if (forEyes !== undefined) await takeAll(forEyes)
  if (total > MOST) throw new Error(`the pictures have ${total} bytes`)
} finally {
  await watched.close()
  await stopSharedKafka()
}
