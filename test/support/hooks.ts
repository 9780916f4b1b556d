// Root hooks of mocha (see .mocharc.json): what the tests of a process share is stopped at their end.
import type { Context } from 'mocha'
import { stopSharedKafka } from './kafka.js'
import { leave, take } from './running-files.js'

// A broker of a test lives for seconds: what Java would do to run faster later costs more than it brings
process.env['NEXSTREAM_TEST_JAVA'] ??= '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC'

export const mochaHooks = {
  /** Beside other processes these hooks run for each file. */
  beforeAll(this: Context): void {
    take(this.test?.parent?.suites[0]?.file)
  },
  async afterAll(): Promise<void> {
    await stopSharedKafka()
    leave()
  }
}
