// Entry of the thread of one detector: socket, event formation, Kafka.
import { CodedError, errorText, type Kafka, type LogLevel, type ThreadContext } from '../../../core/api/plugin.js'
import { noProgress, type DetectorSpec, type FromDetector, type ToDetector } from './protocol.js'
import { RunningDetector } from './running.js'

export default function main(context: ThreadContext): void {
  const thread = new DetectorThread(context)
  context.port.on('message', (message: ToDetector) => thread.hear(message))
}

class DetectorThread {
  readonly #kafka: Kafka
  #running: RunningDetector | undefined
  /** One after the other, so that each answer is of the request that waits longest. */
  #last: Promise<void> = Promise.resolve()

  constructor(readonly context: ThreadContext) {
    this.#kafka = context.kafka((level, message) => this.#log(level, message))
  }

  hear(message: ToDetector): void {
    this.#last = this.#last.then(() => this.#answer(message))
  }

  /** Never rejects. */
  async #answer(message: ToDetector): Promise<void> {
    if (message.type === 'end') return this.#end()
    try {
      if (message.type === 'start') {
        this.#running = await this.#open(message.spec)
        return this.#say({ type: 'ready' })
      }
      const { rawOnly, files } = message
      if (files !== undefined) this.#running?.reload(files, this.context)
      if (rawOnly !== undefined) this.#running?.onlyRaw(rawOnly)
      this.#say({ type: 'configured' })
    } catch (error) {
      const { code, path } = error instanceof CodedError ? error : { code: 'COMMAND_FAILED', path: undefined }
      this.#say({ type: 'refused', code, message: errorText(error), ...(path !== undefined && { path }) })
    }
  }

  async #open(spec: DetectorSpec): Promise<RunningDetector> {
    const producer = this.#kafka.producer({ lingerMs: 5, maxBufferedBytes: spec.options.send_buffer_bytes })
    try {
      return await RunningDetector.open(spec, producer, this.context, {
        log: (level, text) => this.#log(level, text),
        fault: (text) => this.#say({ type: 'fault', message: text }),
        progress: (progress) => this.#say({ type: 'progress', progress }),
        failed: () => this.hear({ type: 'end' })
      })
    } catch (error) {
      await producer.close()
      throw error
    }
  }

  #log(level: LogLevel, message: string): void {
    this.#say({ type: 'log', level, message })
  }

  #say(message: FromDetector): void {
    this.context.port.postMessage(message)
  }

  async #end(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    let error: string | null = null
    try {
      await running?.close()
    } catch (cause) {
      error = errorText(cause)
    }
    this.#say({ type: 'done', progress: running?.progress() ?? noProgress, error })
    await this.#kafka.close()
    await this.context.close()
  }
}
