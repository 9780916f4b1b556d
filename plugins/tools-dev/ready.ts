// When a broker that was started serves: asked as every tool asks.
import { setTimeout as sleep } from 'node:timers/promises'
import { CodedError, errorText, type ToolContext } from '../../core/api/plugin.js'
import { type UntilReady } from './broker/start.js'

/** Two Java programs, perhaps on a busy machine. */
const START_MS = 180_000

export const readyBy =
  (connect: ToolContext['connect'], patienceMs = START_MS): UntilReady =>
  async (brokers) => {
    const end = Date.now() + patienceMs
    for (const broker of brokers)
      for (;;) {
        const { kafka, allTopics } = connect(broker)
        try {
          await allTopics()
          break
        } catch (error) {
          if (Date.now() > end)
            throw new CodedError('KAFKA_UNREACHABLE', `${broker} does not serve: ${errorText(error)}`, { cause: error })
        } finally {
          await kafka.close()
        }
        await sleep(100)
      }
  }
