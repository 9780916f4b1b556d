// The integration test of the whole system, short; and its report.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kafka } from '../support/kafka.js'
import { runChain } from './chain.js'
import { htmlPage, junitXml } from './report.js'

describe('the integration test', function () {
  this.timeout(300_000)

  it('finds every event and value at the end, and reports it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nexstream-integration-'))
    try {
      const { brokers } = await kafka()
      const report = await runChain({ brokers, folder, seconds: 4, told: () => undefined })
      assert.deepEqual(report.outcomes.filter(({ failure }) => failure !== undefined), []) // prettier-ignore
      assert.equal(report.outcomes.length, 14)
      assert.match(junitXml(report), /<testsuites tests="14" failures="0"/)
      assert.match(htmlPage(report), /all is well[\s\S]*data:image\/png;base64,/)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('reports what failed in words that XML can hold', () => {
    const outcomes = [{ name: 'a <b>', seconds: 1, found: '', failure: 'no "c" & d\u0001' }]
    const report = { title: 't', started: new Date(0), seconds: 1, outcomes, figures: [], image: undefined }
    assert.match(
      junitXml(report),
      /<testcase classname="t" name="a &lt;b&gt;" time="1.000"><failure message="no &quot;c&quot; &amp; d\ufffd">/
    )
    assert.match(htmlPage(report), /1 of 1 failed/)
  })
})
