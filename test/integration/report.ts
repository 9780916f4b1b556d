// The report of a run: JUnit's XML for Jenkins and its like, and a page of HTML that holds all in itself.
import { crc32, deflateSync } from 'node:zlib'
import { type Outcome } from './checks.js'

export interface RunReport {
  readonly title: string
  readonly started: Date
  readonly seconds: number
  readonly outcomes: readonly Outcome[]
  /** Counts at each place that events and values came by. */
  readonly figures: readonly (readonly [name: string, value: string])[]
  readonly image: CountImage | undefined
}
/** Row 0 is the lowest. */
export interface CountImage {
  readonly width: number
  readonly height: number
  readonly counts: readonly number[]
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
// Control characters may not stand in XML at all
const escaped = (text: string): string =>
  text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f]/g, '\ufffd').replace(/[&<>"]/g, (character) => escapes[character] ?? '')

export function junitXml({ title, started, seconds, outcomes }: RunReport): string {
  const failures = outcomes.filter(({ failure }) => failure !== undefined).length
  const cases = outcomes.map(({ name, seconds: took, found, failure }) => {
    const head = `    <testcase classname="${escaped(title)}" name="${escaped(name)}" time="${took.toFixed(3)}">`
    const body =
      failure === undefined
        ? `<system-out>${escaped(found)}</system-out>`
        : `<failure message="${escaped(failure.split('\n')[0] ?? '')}">${escaped(failure)}</failure>`
    return `${head}${body}</testcase>`
  })
  const counts = `tests="${outcomes.length}" failures="${failures}" errors="0" skipped="0" time="${seconds.toFixed(3)}"`
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${counts}>
  <testsuite name="${escaped(title)}" timestamp="${started.toISOString()}" ${counts}>
${cases.join('\n')}
  </testsuite>
</testsuites>
`
}

export function htmlPage(report: RunReport): string {
  const { title, started, seconds, outcomes, figures, image } = report
  const failed = outcomes.filter(({ failure }) => failure !== undefined).length
  const rows = outcomes.map(({ name, found, failure }) => `<tr class="${failure === undefined ? 'good' : 'bad'}"><td>${failure === undefined ? '✓' : '✗'}</td><td>${escaped(name)}</td><td>${escaped(failure ?? found)}</td></tr>`) // prettier-ignore
  const counts = figures.map(([name, value]) => `<tr><td>${escaped(name)}</td><td class="n">${escaped(value)}</td></tr>`) // prettier-ignore
  const picture =
    image === undefined
      ? ''
      : `<h2>The image</h2><img alt="counts of each pixel" src="data:image/png;base64,${pngOf(image).toString('base64')}">`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } td { padding: .3rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top }
.n { text-align: right; font-variant-numeric: tabular-nums } .good td:first-child { color: #137333 } .bad { color: #b3261e; font-weight: 600 }
img { image-rendering: pixelated; width: 24rem; border: 1px solid #ddd }
</style></head><body>
<h1>${escaped(title)}: ${failed === 0 ? 'all is well' : `${failed} of ${outcomes.length} failed`}</h1>
<p>${started.toISOString()}, ${seconds.toFixed(1)} s</p>
<table>${rows.join('\n')}</table>
<h2>Counts on the way</h2>
<table>${counts.join('\n')}</table>
${picture}
</body></html>
`
}

/** Grey, white is nothing. */
export function pngOf({ width, height, counts }: CountImage): Buffer {
  const most = counts.reduce((a, b) => Math.max(a, b), 1)
  const lines = Buffer.alloc(height * (width + 1))
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const share = Math.sqrt((counts[y * width + x] ?? 0) / most)
      lines[(height - 1 - y) * (width + 1) + 1 + x] = Math.round(255 * (1 - share))
    }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head[8] = 8
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', deflateSync(lines)), chunk('IEND', Buffer.alloc(0))]) // prettier-ignore
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}
