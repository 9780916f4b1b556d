import assert from 'node:assert/strict'
import { terminal } from '../../commands/cli/tool-context.js'
import { jobTable } from './jobs.js'

const ended = {
  job_id: 'run-42', service: 'filewriter', state: 'failed', message: 'data lost: 3 messages', started: '2026-11-21T12:00:00Z', ended: '2026-11-21T12:01:05Z',
  file_name: '/data/2026/experiment-1234/amor_2026_000042.nxs', start_time: '2026-11-21T12:00:00.000Z', stop_time: null, phase: 'reading',
  behind: 0, behind_s: 0, messages: 123456, bytes: 987654321, bad: 0, written: 123400, file_bytes: 987000000, lost: false
} // prettier-ignore
const running = { ...ended, state: 'running', message: 'writing it', ended: null }

describe('cli: jobs', () => {
  it('show how far a job is on 80 columns, the important first', () => {
    const [heading = '', ...lines] = jobTable([running, ended], terminal, 80).split('\n')
    assert.match(heading, /^job +service +state +time +progress$/)
    for (const line of lines) assert.ok(line.length <= 80, line)
    assert.match(lines[0] ?? '', /^run-42 +filewriter +running +\d+:\d\d:\d\d +messages=123456 file_bytes=987/)
    assert.match(lines[1] ?? '', /^run-42 +filewriter +failed +0:01:05 +data lost: 3 messages  mess/)
  })

  it('show all of it where there is room', () => {
    const [, line = ''] = jobTable([running], terminal, Infinity).split('\n')
    assert.match(line, /messages=123456 file_bytes=987\.0 MB written=123400 behind_s=0 lost=false file_name=\/data.* bad=0  writing it$/) // prettier-ignore
    assert.equal(jobTable([], terminal), 'no jobs')
  })
})
