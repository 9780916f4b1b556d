// The header traceparent of a command is that of its answer and of the events of its job.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectKafka } from '../../core/kafka/client.js'
import { type Daemon, loadConfig, startDaemon } from '../../core/main.js'
import { traceparentOf } from '../../core/traceparent.js'
import { kafka, testTopics } from '../support/kafka.js'

describe('traceparent', function () {
  this.timeout(120_000)
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

  it('goes from a command to its answer and to the events of its job, and to nothing else', async () => {
    const { brokers } = await kafka()
    const { commands, status } = await testTopics(['commands', 'status'])
    const folder = mkdtempSync(join(tmpdir(), 'nexstream-trace-'))
    const client = connectKafka({ brokers })
    const reader = client.reader({ assign: [{ topic: status, partition: 0, offset: 0 }], maxWaitMs: 100 })
    let daemon: Daemon | undefined
    try {
      const flags = {
        'kafka.brokers': JSON.stringify(brokers),
        'commands.topic': commands,
        'status.topic': status,
        'log.level': 'error',
        'services.filewriter.folder': folder
      }
      daemon = await startDaemon(loadConfig({ flags }))
      const producer = client.producer({ lingerMs: 0 })
      const send = (command: object, ...headers: [string, Buffer][]): void =>
        void producer.send({ topic: commands, value: JSON.stringify(command), headers })
      const job = { service: 'filewriter', job_id: 'a' }
      const traced: [string, Buffer] = ['traceparent', Buffer.from(trace)]
      send({ cmd: 'start', ...job, file_name: 'a.nxs', nexus_structure: { children: [] } }, ['other', Buffer.alloc(300)], traced) // prettier-ignore
      send({ cmd: 'status', msg_id: 'bad' }, ['traceparent', Buffer.from('of somebody\0')])
      send({ cmd: 'stop', msg_id: 'plain', ...job })
      const said: string[] = []
      while (!said.some((one) => one.startsWith('writing_done'))) {
        const batch = await reader.next()
        for (let i = 0; i < (batch?.count ?? 0); i++) {
          const text = batch?.value(i)?.toString() ?? ''
          if (!text.startsWith('{')) continue
          const { type, event, msg_id: id } = JSON.parse(text) as Record<string, string>
          if (type !== 'nexstream_status') said.push(`${event ?? id ?? 'start'} ${batch && traceparentOf(batch, i)}`)
        }
        batch?.release()
      }
      await producer.close()
      assert.deepEqual(
        said.toSorted(),
        [
          `start ${trace}`,
          `writing_started ${trace}`,
          `writing_done ${trace}`,
          'bad undefined',
          'plain undefined'
        ].toSorted()
      )
    } finally {
      await reader.close()
      await client.close()
      await daemon?.stop('test over')
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
