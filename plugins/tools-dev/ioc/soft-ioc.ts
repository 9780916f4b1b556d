// An EPICS IOC with databases of one's own: Python with epicscorelibs, in an environment that is made on first use.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { venv } from '../fetched/python.js'
import { type Ioc, startServer } from './server.js'

/** The scripts are not compiled: they lie in the package beside `dist`. */
export const iocFolder = fileURLToPath(new URL('../../../../plugins/tools-dev/ioc/', import.meta.url))

/** What the IOC needs, and nothing else. */
export const iocPython = (): Promise<string> => venv(join(iocFolder, 'requirements.txt'))

/** `ca`: RSRV only · `qsrv1`: RSRV + pvAccessCPP · `qsrv2`: RSRV + pvxs. */
export type SoftIocKind = 'ca' | 'qsrv1' | 'qsrv2'

/** Database text (has a line break or a brace) or a path. */
export type Databases = string | readonly string[]

/** The command of an IOC; database texts become files in `folder`. */
export async function softIocCommand(
  interpreter: string,
  kind: SoftIocKind,
  db: Databases,
  macros: Readonly<Record<string, string>>,
  folder: string
): Promise<string[]> {
  const files: string[] = []
  for (const text of typeof db === 'string' ? [db] : db) {
    if (!/[\n{]/.test(text)) files.push(text)
    else {
      files.push(join(folder, `${files.length}.db`))
      await writeFile(files.at(-1) ?? '', `${text}\n`)
    }
  }
  const list = Object.entries(macros).map(([key, value]) => `${key}=${value}`)
  return [interpreter, join(iocFolder, 'softioc.py'), kind, list.join(','), ...files]
}

/** An IOC that serves Channel Access on loopback; `folder` goes with it. Rejects when there is no Python for it. */
export async function startSoftIoc(
  db: Databases,
  macros: Readonly<Record<string, string>>,
  folder: string
): Promise<Ioc> {
  const interpreter = await iocPython()
  return startServer({ folder, command: () => softIocCommand(interpreter, 'ca', db, macros, folder) })
}
