// Module resolution hook: `nexstream/plugin` and `nexstream/schemas` from a plugin folder outside our tree lead to this package.
let root = ''

/** Called once when the hook is registered. */
export function initialize(data: { root: string }): void {
  root = data.root
}

const own: Readonly<Record<string, string>> = {
  'nexstream/plugin': 'core/api/plugin.js',
  'nexstream/schemas': 'schemas/index.js'
}

type Next = (specifier: string, context: unknown) => Promise<{ url: string }>

export async function resolve(
  specifier: string,
  context: unknown,
  next: Next
): Promise<{ url: string; shortCircuit?: boolean }> {
  const file = Object.hasOwn(own, specifier) ? own[specifier] : undefined
  return file === undefined ? next(specifier, context) : { url: root + file, shortCircuit: true }
}
