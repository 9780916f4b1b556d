import assert from 'node:assert/strict'
import { Host, withDeadline } from './host.js'
import { type DaemonSnapshot, type Job } from './api/plugin.js'

const job = { id: 'j', service: 's' } as Job

describe('host', () => {
  it('names plugin and hook of every failing tap, whatever its kind', async () => {
    const host = new Host()
    host.hooks.snapshot.tap('plugin-a', () => {
      throw new Error('boom')
    })
    assert.throws(() => host.hooks.snapshot.call({} as DaemonSnapshot), {
      code: 'PLUGIN_FAILED',
      message: '[plugin plugin-a] snapshot: boom'
    })
    host.hooks.jobStarting.tapPromise('plugin-b', () => Promise.reject(new Error('no beam')))
    await assert.rejects(host.hooks.jobStarting.promise(job), { message: '[plugin plugin-b] jobStarting: no beam' })
    host.hooks.jobStopped.tapAsync('plugin-c', (_job, done) => done(new Error('late')))
    await assert.rejects(host.hooks.jobStopped.promise(job), { message: '[plugin plugin-c] jobStopped: late' })
  })

  it('calls taps in order and passes results on', async () => {
    const host = new Host()
    const seen: string[] = []
    host.hooks.jobStopped.tap('one', () => void seen.push('one'))
    host.hooks.jobStopped.tapPromise('two', () => Promise.resolve(void seen.push('two')))
    host.hooks.jobStopped.tapAsync('three', (_job, done) => done(null, seen.push('three') as never))
    await host.hooks.jobStopped.promise(job)
    assert.deepEqual(seen, ['one', 'two', 'three'])
    host.hooks.snapshot.tap('one', (snapshot) => ({ ...snapshot, host: 'renamed' }))
    assert.equal(host.hooks.snapshot.call({ host: 'h' } as DaemonSnapshot).host, 'renamed')
  })

  it('gives up on a plugin that never settles', () =>
    assert.rejects(
      withDeadline(() => new Promise(() => undefined), 'stuck', 'apply', 5),
      { code: 'PLUGIN_TIMEOUT', message: /\[plugin stuck\] apply/ }
    ))

  it('does not take prototype names for parts', () => {
    assert.equal(new Host().part('writer', 'constructor'), undefined)
    assert.equal(new Host().part('writer', '__proto__'), undefined)
  })
})
