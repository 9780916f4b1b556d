// A daemon with a page on a real Kafka, something for it to show, and a browser that looks at it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, type Page } from 'playwright-core'
import { DaemonProcess } from '../../plugins/tools-dev/daemon-process.js'
import { openBrowser } from '../support/chromium.js'
import { type HistogramRecord, numbersIn } from '../../schemas/index.js'
import { openConverter } from '../support/converters.js'
import { Control } from '../support/control.js'
import { kafka, testTopics } from '../support/kafka.js'

export const token = 'a-token-for-the-tests-of-the-page-0123456789'

/** What the test needs of a canvas in the browser. */
interface Canvas {
  readonly width: number
  readonly height: number
  getContext(kind: '2d'): {
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray }
  }
}

/** Size of the image of a detector, and its bright pixels as `x y`; row 0 is at the bottom. */
export const brightPixels = (page: Page): Promise<{ width: number; height: number; places: string[] }> =>
  page.locator('.image canvas').evaluate((element) => {
    const canvas = element as unknown as Canvas
    const { width, height } = canvas
    const { data } = canvas.getContext('2d').getImageData(0, 0, width, height)
    const places = Array.from({ length: width * height }, (_, i) => i).filter((i) => (data[4 * i] ?? 0) > 200)
    return { width, height, places: places.map((i) => `${i % width} ${height - 1 - Math.floor(i / width)}`) }
  })

type Topics = Readonly<Record<'commands' | 'status' | 'events' | 'histograms' | 'values' | 'beats', string>>

interface Opened {
  readonly topics: Topics
  readonly control: Control
  readonly browser: Browser
  readonly folder: string
  readonly config: string
}

export class Watched {
  readonly topics: Topics
  readonly control: Control
  readonly folder: string
  readonly brokers: readonly string[]
  /** Requests of the browser to anybody but the daemon. */
  readonly strangers: string[] = []
  /** What the page says is wrong. */
  readonly errors: string[] = []
  readonly #opened: Opened
  #daemon: DaemonProcess | undefined
  #run = 0
  #port = 0

  private constructor(opened: Opened, brokers: readonly string[]) {
    this.#opened = opened
    this.topics = opened.topics
    this.control = opened.control
    this.folder = opened.folder
    this.brokers = brokers
  }

  static async open(): Promise<Watched> {
    const { brokers } = await kafka()
    const topics = await testTopics(['commands', 'status', 'events', 'histograms', 'values', 'beats'])
    const folder = mkdtempSync(join(tmpdir(), 'nexstream-page-'))
    const config = join(folder, 'nexstream.toml')
    writeFileSync(join(folder, 'token'), token)
    // Of a message of others, and of a histogram that this daemon counts
    const daqlite = { kafka: { broker: 'b', topic: 'bank_events', source: 'bank' }, geometry: { xdim: 40, ydim: 25, zdim: 1, offset: 5000 }, plot: { window_title: 'Bank <b>5</b>' } } // prettier-ignore
    const numbers = Array.from({ length: 8 }, (_, z) => Array.from({ length: 10 }, (_, y) => Array.from({ length: 64 }, (_, x) => 30_721 + (z * 10 + y) * 64 + x))) // prettier-ignore
    const dataset = { module: 'dataset', config: { name: 'detector_number', dtype: 'int32', values: numbers } }
    const stream = { module: 'ev44', config: { topic: topics.events, source: 'amor_detector' } }
    const tubes = { type: 'group', name: 'Tubes', attributes: { NX_class: 'NXdetector' }, children: [dataset, stream] }
    writeFileSync(join(folder, 'bank.json'), JSON.stringify(daqlite))
    writeFileSync(join(folder, 'start.json'), JSON.stringify({ cmd: 'start', nexus_structure: { children: [tubes] } }))
    const detectors = [
      `{ daqlite = ${JSON.stringify(join(folder, 'bank.json'))} }`,
      `{ structure = ${JSON.stringify(join(folder, 'start.json'))} }`
    ]
    writeFileSync(
      config,
      `[daemon]
service_id = "page"
[kafka]
brokers = ${JSON.stringify(brokers)}
[commands]
topic = "${topics.commands}"
[status]
topic = "${topics.status}"
interval = "300ms"
[services.filewriter]
folder = ${JSON.stringify(folder)}
late_data_ms = 200
[services.histogram]
update_ms = 100
[services.simulator]
[reporters.web]
commands = true
token_file = ${JSON.stringify(join(folder, 'token'))}
pv_topics = ["${topics.values}"]
message_topics = ["${topics.events}"]
peer_topics = ["${topics.beats}", "${topics.status}"]
streams_per_client = 4
detectors = [${detectors.join(', ')}]
`
    )
    const [control, browser] = await Promise.all([
      Control.open(brokers, topics.commands, [topics.status, topics.histograms]),
      openBrowser()
    ])
    const watched = new Watched({ topics, control, browser, folder, config }, brokers)
    await watched.start()
    return watched
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Also again, at the same port. */
  async start(): Promise<void> {
    const { config, folder, control } = this.#opened
    const log = join(folder, `log${this.#run++}`)
    const seen = control.said.length
    this.#daemon = new DaemonProcess([config, '--set', `reporters.web.port=${this.#port}`], process.env, log)
    const isUp = (): boolean =>
      control.said.slice(seen).some(({ json }) => json?.['type'] === 'nexstream_status' && json['state'] === 'running')
    await Promise.race([control.wait(isUp, 'the first status', 60_000), this.#daemon.crash()])
    while (this.#port === 0) {
      this.#port = Number(/page at http:\/\/127\.0\.0\.1:(\d+)\//.exec(readFileSync(log, 'utf8'))?.[1] ?? 0)
      if (this.#port === 0) await control.wait(() => true, 'a line of the log')
    }
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop()
  }

  /** A tab of its own. */
  async tab(options: Parameters<Browser['newContext']>[0] = {}): Promise<{ page: Page; context: BrowserContext }> {
    const context = await this.#opened.browser.newContext(options)
    const page = await context.newPage()
    page.setDefaultTimeout(30_000)
    page.on('request', (request) => {
      const url = request.url()
      if (!url.startsWith(this.address) && !/^(data|blob):/.test(url)) this.strangers.push(url)
    })
    page.on('pageerror', (error) => this.errors.push(String(error)))
    page.on('console', (message) => {
      const isOwn = message.type() === 'error' && !message.text().startsWith('Failed to load resource')
      if (isOwn) this.errors.push(message.text())
    })
    return { page, context }
  }

  /** The newest message of a histogram: its cells. */
  async cells(id: string): Promise<number[]> {
    const full = this.control.said.findLast((said) => said.id === 'hs01' && said.value.includes(`"id":"${id}"`))!
    const record = (await openConverter('hs01')).decode?.(full.value) as HistogramRecord
    return Array.from(numbersIn(record.data) as ArrayLike<number | bigint>, Number)
  }

  async send(command: Readonly<Record<string, unknown>>): Promise<void> {
    const answer = await this.control.send(command)
    if (answer['response'] !== 'ACK') throw new Error(JSON.stringify(answer))
  }

  async close(): Promise<void> {
    const { browser, control, folder } = this.#opened
    await browser.close()
    await this.stop()
    await control.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
