import assert from 'node:assert/strict'
import { terminal } from '../../commands/cli/tool-context.js'
import { jobTable } from './jobs.js'

const job = {
  job_id: 'run-42', service: 'filewriter', state: 'running', message: null, started: '2026-11-21T12:00:00Z', ended: '2026-11-21T12:01:05Z',
  file_name: '/data/2026/experiment-1234/amor_2026_000042.nxs', start_time: '2026-11-21T12:00:00.000Z', stop_time: null, phase: 'reading',
  behind: 0, behind_s: 0, messages: 123456, bytes: 987654321, bad: 0, written: 123400, file_bytes: 987000000, lost: false
} // prettier-ignore

describe('cli: jobs', () => {
  it('show how far a job is on 80 columns, the important first', () => {
    const [heading = '', line = ''] = jobTable([job], terminal, 80).split('\n')
    assert.match(heading, /^job +service +state +time +progress/)
    assert.ok(line.length <= 80, line)
    assert.match(line, /^run-42 +filewriter +running +0:01:05 +messages=123456 file_bytes=987/)
  })

  it('show all of it where there is room', () => {
    const [, line = ''] = jobTable([job], terminal, Infinity).split('\n')
    assert.match(
      line,
      /messages=123456 file_bytes=987\.0 MB written=123400 behind_s=0 lost=false file_name=\/data.* bad=0$/
    )
    assert.equal(jobTable([], terminal), 'no jobs')
  })
})
