// Java and Maven, for a Kafka from its jars: the command, and jars that a pom.xml pins.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

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
