// The table of reasons against what the code counts, and what each means for a verdict.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../core/root.js'
import { reasons, sayReason, strayWeight, weightOf } from './reasons.js'

/** Reasons as the source says them: of bad messages, of counts, of damaged batches. */
const patterns = [
  /BadMessage\(\s*'(\w+)'/g,
  /\bcount\('(\w+)'/g,
  /countIn\(\w+(?:\.\w+)?, '(\w+)'/g,
  /CodecError\('(\w+)'/g,
  /return '(\w+)'$/gm
]
const folders = readdirSync(join(packageRoot, 'plugins')).filter((name) => /^(writer|converter)-/.test(name))
const places = [
  'schemas',
  'core/kafka/record-batch.ts',
  'core/kafka/codecs.ts',
  'plugins/service-filewriter/structure',
  ...folders.map((name) => `plugins/${name}`)
]

function sources(place: string): string[] {
  const path = join(packageRoot, place)
  if (path.endsWith('.ts')) return [readFileSync(path, 'utf8')]
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
  return files
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.includes('reasons'))
    .map((name) => readFileSync(join(path, name), 'utf8'))
}

describe('reasons', () => {
  it('has every reason that the code counts', () => {
    const kafka = new Set(places.slice(1, 3).flatMap(sources))
    for (const text of places.flatMap(sources))
      for (const pattern of kafka.has(text) ? patterns : patterns.slice(0, 3))
        for (const [, reason = ''] of text.matchAll(pattern))
          if (reason !== 'none') assert.ok(Object.hasOwn(reasons, reason), `${reason} is not in the table`)
  })

  it('takes what it does not know as lost, unless the plugin says otherwise', () => {
    assert.equal(weightOf('of_a_plugin'), 'lost')
    assert.equal(weightOf('of_a_plugin', 'warning'), 'warning')
    assert.equal(weightOf('constructor'), 'lost')
    assert.equal(sayReason('of_a_plugin', 2), '2 of_a_plugin')
  })

  it('takes a damaged message as lost, but not on a topic that others use when its source cannot be read', () => {
    assert.equal(weightOf('invalid_flatbuffer'), 'lost')
    assert.equal(strayWeight('invalid_flatbuffer', true), 'warning')
    assert.equal(strayWeight('crc', true), 'lost')
    assert.equal(strayWeight('invalid_flatbuffer', false), 'lost')
    assert.equal(strayWeight('no_value', false), 'warning')
  })

  it('takes a message without a time as a warning, but not values of a message that has one', () => {
    assert.equal(strayWeight('bad_timestamp', false), 'warning')
    assert.equal(weightOf('time_zero'), 'warning')
    assert.equal(weightOf('bad_timestamp'), 'lost')
  })
})
