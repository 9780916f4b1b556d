// The tutorial, from its own text, with what npm packs: each command is run, each file is written, what it shows as output is said.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../../plugins/tools-dev/fetched/ports.js'
import { packed, type Packed } from '../cli/packed.js'
import { kafka } from '../support/kafka.js'
import { Page, type Rule } from './page.js'

const rules: readonly Rule[] = [
  {
    line: /^npm install nexstream/,
    skip: 'it is the package of this test; test/docs/packed.test.ts has what it holds'
  },
  { line: /^npx nexstream kafka/, skip: 'the tests have one; test/cli/start-up.test.ts runs it' },
  { line: /^npx nexstream run/, stays: / is up as / }
]

describe('the tutorial', function () {
  this.timeout(300_000)
  let folder: string
  let elsewhere: Packed
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-tutorial-'))
    elsewhere = await packed()
  })
  after(() => {
    elsewhere.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  it('does what it says', async () => {
    const { brokers } = await kafka()
    const [page, metrics] = await freePorts(2)
    const replace = new Map([['localhost:9092', brokers.join(',')], ['BENCH', `BENCH${randomBytes(4).toString('hex')}`]]) // prettier-ignore
    const env = { NEXSTREAM_REPORTERS__WEB__PORT: String(page), NEXSTREAM_REPORTERS__PROMETHEUS__PORT: String(metrics) }
    const tutorial = new Page('docs/tutorial.md', { folder, rules, replace, env, program: elsewhere.program })
    await tutorial.run()
    assert.ok(tutorial.ran > 20)
  })
})
