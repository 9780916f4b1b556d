// Plugin reporter-web: a page that shows what the daemon does, served by it. What it needs is loaded when it is configured.
import { API, definePlugin, defineReporter } from '../../core/api/plugin.js'
import { detectorsOf } from './detectors/index.js'
import { accessOf, optionSchema } from './options.js'
import { type WebServer } from './server.js'

const reporter = defineReporter({
  id: 'web',
  summary:
    'A page in the browser: what comes in and what is lost, jobs, PVs, detectors, messages, files; commands by forms.',
  config: optionSchema,
  open(options, context) {
    const access = accessOf(options)
    const detectors = detectorsOf(options.detectors)
    // A daemon without a page loads nothing of it
    const opened: Promise<WebServer> = import('./server.js').then(({ WebServer }) =>
      WebServer.open(options, access, context, detectors)
    )
    opened.catch((error: Error) => context.log('error', error.message))
    return {
      report: (snapshot) => opened.then((server) => server.show(snapshot)),
      close: async () => (await opened.catch(() => undefined))?.close()
    }
  }
})

export default definePlugin({
  name: 'reporter-web',
  version: '0.1.0',
  api: API,
  summary: 'A page in the browser that shows what the daemon does.',
  apply: (registry) => registry.reporter(reporter)
})
