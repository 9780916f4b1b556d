// Root hooks of mocha (see .mocharc.json): what the whole test run shares is stopped at its end.
import { stopSharedKafka } from './kafka.js'

export const mochaHooks = {
  async afterAll(): Promise<void> {
    await stopSharedKafka()
  }
}
