import assert from 'node:assert/strict'
import { CodedError } from './api/errors.js'
import { JobRegistry } from './jobs.js'

const registry = (starting = (): Promise<void> => Promise.resolve(), stopped: string[] = []): JobRegistry =>
  new JobRegistry({ starting, stopped: (job) => Promise.resolve(void stopped.push(`${job.id} ${job.state}`)) }, 2)

describe('jobs', () => {
  it('walks through its states and is listed after its end', async () => {
    const stopped: string[] = []
    const jobs = registry(undefined, stopped)
    const job = await jobs.open('a', 'filewriter', () => ({ file_name: 'a.nxs' }))
    for (const state of ['starting', 'running', 'stopping', 'done'] as const) job.to(state)
    assert.deepEqual(stopped, ['a done'])
    assert.equal(jobs.get('a'), undefined)
    assert.deepEqual(
      jobs.list().map((info) => [info['job_id'], info['state'], info['file_name']]),
      [['a', 'done', 'a.nxs']]
    )
  })

  it('refuses steps that are none, and a second job of one id', async () => {
    const jobs = registry()
    const job = await jobs.open('a', 's', () => ({}))
    assert.throws(() => job.to('done'), /accepted -> done/)
    await assert.rejects(
      jobs.open('a', 's', () => ({})),
      { code: 'JOB_EXISTS' }
    )
    job.to('failed', 'disk full')
    assert.throws(() => job.to('running'))
    assert.equal(job.info()['message'], 'disk full')
    assert.equal((await jobs.open('a', 's', () => ({}))).state, 'accepted')
  })

  it('lets a plugin refuse a job, and keeps only the last ended ones', async () => {
    const refusing = registry(() => Promise.reject(new CodedError('JOB_LIMIT', 'no beam')))
    await assert.rejects(
      refusing.open('a', 's', () => ({})),
      { code: 'JOB_LIMIT' }
    )
    assert.deepEqual(refusing.list(), [])
    const jobs = registry()
    for (const id of ['a', 'b', 'c']) {
      const job = await jobs.open(id, 's', () => ({}))
      for (const state of ['starting', 'running', 'failed'] as const) job.to(state)
    }
    assert.deepEqual(
      jobs.list().map((info) => info['job_id']),
      ['c', 'b']
    )
  })

  it('does not take a refused start for a job: the one of that name that has ended stays', async () => {
    const jobs = registry()
    const job = await jobs.open('a', 's', () => ({}))
    for (const state of ['starting', 'running', 'done'] as const) job.to(state)
    const again = await jobs.open('a', 's', () => ({}))
    again.to('starting')
    again.to('failed', 'FILE_EXISTS')
    assert.deepEqual(
      jobs.list().map(({ state }) => state),
      ['done']
    )
    assert.equal(jobs.show('a')?.['state'], 'done')
  })
})
