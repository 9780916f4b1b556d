// Java for tests: the command, jars that a pom.xml pins, and the pvAccess server made of them.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cached } from './cache.js'

const run = promisify(execFile)
const source = (file: string): string => fileURLToPath(new URL(`../../../test/support/java/${file}`, import.meta.url))

/** The java command of JAVA_HOME or the PATH; throws unless it is 17 or later. */
export async function findJava(): Promise<string> {
  const home = process.env['JAVA_HOME']
  const java = home ? join(home, 'bin', 'java') : 'java'
  const text = await run(java, ['-version']).then(
    ({ stdout, stderr }) => stdout + stderr,
    () => undefined
  )
  if (text === undefined) throw new Error(`no Java: ${java} cannot be run`)
  const major = Number(/version "(\d+)/.exec(text)?.[1] ?? 0)
  if (major < 17) throw new Error(`Java >= 17 is needed, ${java} is ${text.split('\n')[0]}`)
  return java
}

/** Puts the jars that a pom.xml names, and those that they need, into a folder. */
export async function copyJars(pom: string, folder: string): Promise<void> {
  const args = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`]
  await run('mvn', args).catch((error: unknown) => {
    const { code, stdout, stderr } = error as { code: unknown; stdout?: string; stderr?: string }
    if (code === 'ENOENT') throw new Error('Maven (mvn) is not on the PATH')
    throw new Error(`Maven could not get the jars of ${pom}: ${`${stdout ?? ''}${stderr ?? ''}`.slice(-500)}`)
  })
}

let ready: Promise<string> | undefined

/** Class path of the compiled `java/PvaServer.java`, made the first time (a download). */
export function pvaServer(): Promise<string> {
  ready ??= build().catch((error: unknown) => {
    ready = undefined
    throw error
  })
  return ready
}

async function build(): Promise<string> {
  const [pom, program] = [source('pom.xml'), source('PvaServer.java')]
  const java = await findJava()
  const hash = createHash('sha256')
    .update(await readFile(pom))
    .update(await readFile(program))
    .digest('hex')
    .slice(0, 16)
  const folder = await cached(`pva-java-${hash}`, async (part) => {
    await copyJars(pom, part)
    const jars = (await readdir(part)).map((jar) => join(part, jar)).join(':')
    const compiler = ['-cp', jars, 'org.eclipse.jdt.internal.compiler.batch.Main', '-17', '-nowarn']
    await run(java, [...compiler, '-cp', jars, '-d', part, program]).catch((error: unknown) => {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string }
      const why = `${stdout ?? ''}${stderr ?? ''}`.slice(-1500)
      throw new Error(`${basename(program)} could not be compiled: ${why}`)
    })
  })
  return `${join(folder, '*')}:${folder}`
}
