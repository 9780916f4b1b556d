// Programs in Java for tests, compiled with the jars that a pom.xml pins.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cached } from '../../plugins/tools-dev/fetched/cache.js'
import { copyJars, findJava } from '../../plugins/tools-dev/fetched/java.js'

const run = promisify(execFile)
const source = (file: string): string => fileURLToPath(new URL(`../../../test/support/java/${file}`, import.meta.url))

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
