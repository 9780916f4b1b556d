// What no dialect of a command topic understands is counted, in status and metrics, and told; it is not answered.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { type Child, start } from '../cli/child.js'
import { Control } from '../support/control.js'
import { kafka, testTopics } from '../support/kafka.js'

describe('daemon that hears what is no command', function () {
  this.timeout(120_000)
  let control: Control
  let daemon: Child | undefined
  after(async () => {
    await daemon?.close()
    await control?.close()
  })

  for (const dialects of [['fc00'], ['ess', 'fc00']])
    it(`counts it and tells it once for each kind: ${dialects.join(', ')}`, async () => {
      const { brokers } = await kafka()
      const topics = await testTopics(['commands', 'status'])
      control = await Control.open(brokers, topics.commands, [topics.status])
      const listen = [{ topic: topics.commands, dialects }]
      const reporters = { json: {}, prometheus: { port: 0 } }
      const settings = { 'kafka.brokers': brokers, 'commands.listen': listen, 'status.topic': topics.status, 'status.interval': '200ms', reporters } // prettier-ignore
      const set = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`]) // prettier-ignore
      daemon = start(['run', ...set])
      await daemon.says(/is up as/)
      const foreign = logF144.encode({ source: 'pv', timestampNs: 1n, dtype: 'float64', value: 1 })
      const junk = Buffer.concat([Buffer.of(255, 255, 255, 255), randomBytes(20)])
      for (const value of ['', junk, '{"cmd": "status"}', foreign, '', '{"hello": "world"}'])
        await control.sendRaw(value)
      const counts = { empty: 2, bytes: 1, json: 2, f144: 1 }
      const fits = (json: Readonly<Record<string, unknown>>): boolean =>
        Object.entries(counts).every(([kind, n]) => (json['not_understood'] as Record<string, number>)?.[kind] === n)
      const status = await control.json(fits, 'the counts in the status')
      assert.deepEqual(status['not_understood'], counts)
      assert.ok(control.said.every(({ json }) => json?.['response'] === undefined), 'no answers') // prettier-ignore
      const url = /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(daemon.stderr)?.[0] ?? ''
      const text = await (await fetch(url)).text()
      for (const [kind, n] of Object.entries(counts))
        assert.match(text, new RegExp(`^nexstream_commands_not_understood_total\\{kind="${kind}"\\} ${n}$`, 'm'))
      for (const words of ['empty', 'JSON', 'FlatBuffer f144', 'bytes of no known kind'])
        assert.equal(daemon.stderr.split(`(${words}) is no command in ${dialects.join(', ')}`).length, 2, daemon.stderr)
      daemon.kill('SIGTERM')
      assert.equal((await daemon.ended).code, 0)
      await control.close()
    })
})
