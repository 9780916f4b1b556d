import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { kafka, startKafka, testTopics } from './kafka.js'

const reachable = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const [host, port] = address.split(':')
    const socket = connect(Number(port), host)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

describe('the Kafka of tests and demo', function () {
  this.timeout(180_000)

  it('serves topics that were created, and creates none by use', async () => {
    const { brokers } = await kafka()
    const { here } = await testTopics(['here'], { partitions: 3 })
    const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 0 } }).admin()
    await admin.connect()
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [here] })
      assert.equal(topics[0]?.partitions.length, 3)
      await assert.rejects(admin.fetchTopicMetadata({ topics: ['never-created'] }), /does not host this topic/)
    } finally {
      await admin.disconnect()
    }
  })

  it('names every way and its reason when none serves', async () => {
    const { NEXSTREAM_KAFKA, JAVA_HOME } = process.env
    Object.assign(process.env, { NEXSTREAM_KAFKA: 'jars', JAVA_HOME: '/nowhere' })
    try {
      await assert.rejects(startKafka({ own: true }), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'KAFKA_NONE')
        assert.match(error.message, /jars: no Java: \/nowhere/)
        assert.match(error.message, /NEXSTREAM_BROKERS.*Docker.*Java/)
        return true
      })
    } finally {
      for (const [name, value] of Object.entries({ NEXSTREAM_KAFKA, JAVA_HOME }))
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
    }
  })

  it('ends with its owner, also when the owner is killed', async () => {
    const script = `
      import { startKafka } from ${JSON.stringify(new URL('./kafka.js', import.meta.url).href)}
      const k = await startKafka({ own: true })
      console.log(JSON.stringify({ broker: k.brokers[0], file: k.certificate }))
      setInterval(() => {}, 1000)`
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NEXSTREAM_KAFKA: 'jars' }
    })
    const [line] = (await once(owner.stdout, 'data')) as [Buffer]
    const { broker, file } = JSON.parse(line.toString()) as { broker: string; file: string }
    const folder = file.replace(/\/cert\.pem$/, '')
    assert.ok(existsSync(folder))
    assert.ok(await reachable(broker))
    owner.kill('SIGKILL')
    await once(owner, 'exit')
    while ((await reachable(broker)) || existsSync(folder)) await sleep(50)
  })
})
