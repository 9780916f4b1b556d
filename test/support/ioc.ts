// Real EPICS servers for tests and benches: each a process (Python of the test venv, or Java) on ports of its own.
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findJava } from '../../plugins/tools-dev/fetched/java.js'
import { type Ioc as Server, type IocPlace, startServer } from '../../plugins/tools-dev/ioc/server.js'
import { type Databases, iocFolder, softIocCommand, type SoftIocKind } from '../../plugins/tools-dev/ioc/soft-ioc.js'
import { pvaServer } from './java.js'
import { python } from './python.js'

export { joinEnv, type PutValue } from '../../plugins/tools-dev/ioc/server.js'

/** Besides IOCs: `p4p`: pvAccess only · `caproto`: CA only · `java`: pvAccessJava, pvAccess only, big-endian. */
export type IocKind = SoftIocKind | 'p4p' | 'caproto' | 'java'

export interface Ioc extends Server {
  readonly kind: IocKind
}

export interface IocOptions extends Omit<IocPlace, 'command'> {
  /** Default qsrv2. */
  readonly kind?: IocKind
  /** For the IOC kinds only. */
  readonly db?: Databases
  /** Macros of the database; `P` is the prefix of the p4p, caproto and java servers, too. */
  readonly macros?: Readonly<Record<string, string>>
  /** Size of the image channel of a p4p server. */
  readonly image?: readonly [width: number, height: number]
}

const scripts = fileURLToPath(new URL('../../../test/support/python/ioc/', import.meta.url))

/** Starts a server and resolves when it says that it is ready (clients can search for it at once). */
export async function startIoc(options: IocOptions = {}): Promise<Ioc> {
  const { kind = 'qsrv2', db = [], macros = {}, image, env, ...place } = options
  const server = await startServer({
    ...place,
    // All scripts share the lines that they are told what to do by
    env: { PYTHONPATH: [iocFolder, process.env['PYTHONPATH'] ?? ''].filter(Boolean).join(delimiter), ...env },
    command: (folder, address) => commandOf(kind, { db, macros, image: image ?? [], folder, address })
  })
  return Object.assign(server, { kind })
}

interface CommandPlace {
  readonly db: Databases
  readonly macros: Readonly<Record<string, string>>
  readonly image: readonly number[]
  readonly folder: string
  readonly address: string
}

async function commandOf(kind: IocKind, { db, macros, image, folder, address }: CommandPlace): Promise<string[]> {
  const prefix = macros['P'] ?? ''
  if (kind === 'java') {
    const flags = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.net.preferIPv4Stack=true']
    // Java cannot write to file descriptor 3, where replies are awaited.
    const shell = ['sh', '-c', 'exec "$0" "$@" >&3']
    return [...shell, await findJava(), ...flags, '-cp', await pvaServer(), 'PvaServer', prefix]
  }
  const interpreter = await python()
  if (kind === 'p4p') return [interpreter, join(scripts, 'p4pserver.py'), prefix, ...image.map(String)]
  if (kind === 'caproto') return [interpreter, join(scripts, 'caprotoioc.py'), prefix, address]
  return softIocCommand(interpreter, kind, db, macros, folder)
}
