// Module resolution hook: `nexstream/plugin` and the like from a plugin folder outside our tree lead to this package.
let root = ''

/** Called once when the hook is registered; `root` is the URL of our compiled code, with a slash at its end. */
export function initialize(data: { root: string }): void {
  root = data.root
}

const own: Readonly<Record<string, string>> = {
  'nexstream/plugin': 'plugins/api.js',
  'nexstream/schemas': 'schemas/index.js',
  'nexstream/filewriter': 'plugins/service-filewriter/writer-kit.js',
  'nexstream/tools': 'plugins/tools-daemon/tool-kit.js'
}

type Resolved<T> = T | { url: string; shortCircuit: true }

/** For Node's thread of hooks (`next` gives a promise) and for its hooks in this thread (`next` gives the result). */
export function resolve<T>(
  specifier: string,
  context: unknown,
  next: (specifier: string, context: unknown) => T
): Resolved<T> {
  const file = Object.hasOwn(own, specifier) ? own[specifier] : undefined
  return file === undefined ? next(specifier, context) : { url: root + file, shortCircuit: true }
}
