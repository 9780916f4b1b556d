// Java for tests: the command, jars that a pom.xml pins, and programs compiled with them.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cached } from './cache.js'

const run = promisify(execFile)
const source = (file: string): string => fileURLToPath(new URL(`../../../test/support/java/${file}`, import.meta.url))

/** What the command says of itself. */
export async function versionOf(java: string): Promise<string> {
  const { stdout, stderr } = await run(java, ['-version'])
  return stdout + stderr
}

/** The java command of JAVA_HOME or the PATH; throws unless it is 17 or later. */
export async function findJava(): Promise<string> {
  const home = process.env['JAVA_HOME']
  const java = home ? join(home, 'bin', 'java') : 'java'
  const text = await versionOf(java).catch(() => undefined)
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

const ready = new Map<string, Promise<string>>()

function once(program: string, make: () => Promise<string>): Promise<string> {
  const made =
    ready.get(program) ??
    make().catch((error: unknown) => {
      ready.delete(program)
      throw error
    })
  ready.set(program, made)
  return made
}

/** Class path of the compiled `java/PvaServer.java`, made the first time (a download). */
export const pvaServer = (): Promise<string> =>
  once('PvaServer', async () => {
    const jars = await compilerJars()
    return `${join(jars, '*')}:${await compiled('PvaServer', jars)}`
  })

/** Class path of the compiled `java/GroupMember.java`, with the jars of Kafka in `kafkaJars`. */
export const groupMember = (kafkaJars: string): Promise<string> =>
  once('GroupMember', async () => `${join(kafkaJars, '*')}:${await compiled('GroupMember', kafkaJars)}`)

/** Folder with the compiler and the jars of pvAccess. */
async function compilerJars(): Promise<string> {
  const pom = source('pom.xml')
  const hash = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 16)
  return cached(`java-jars-${hash}`, (part) => copyJars(pom, part))
}

/** Folder with the classes of one program that needs the jars in `jars`. */
async function compiled(name: string, jars: string): Promise<string> {
  const program = source(`${name}.java`)
  const [java, compiler] = [await findJava(), await compilerJars()]
  const hash = createHash('sha256')
    .update(jars)
    .update(await readFile(program))
    .digest('hex')
    .slice(0, 16)
  return cached(`java-${name}-${hash}`, async (part) => {
    const all = (await readdir(jars)).map((jar) => join(jars, jar)).join(':')
    const ecj = ['-cp', join(compiler, '*'), 'org.eclipse.jdt.internal.compiler.batch.Main', '-17', '-nowarn']
    await run(java, [...ecj, '-cp', all, '-d', part, program]).catch((error: unknown) => {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string }
      const why = `${stdout ?? ''}${stderr ?? ''}`.slice(-1500)
      throw new Error(`${basename(program)} could not be compiled: ${why}`)
    })
  })
}
