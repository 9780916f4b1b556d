// What outlives its owner by a moment: however that one ends, what it started is killed and its temporary folder goes.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// The pipe closes when the owner ends, killed or not. What was killed may still write for a moment
const script =
  'cat >/dev/null; for f in "$1"/*.pid; do [ -f "$f" ] && kill -9 "$(cat "$f")" && sleep 0.2; done; rm -rf "$1"'

export class OwnerGuard {
  private constructor(
    /** Temporary; goes with its owner. */
    readonly folder: string,
    readonly shell: ChildProcess
  ) {}

  static async open(prefix: string): Promise<OwnerGuard> {
    const folder = await mkdtemp(join(tmpdir(), prefix))
    const shell = spawn('sh', ['-c', script, 'nexstream-guard', folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true // Ctrl-C is for the owner
    })
    shell.unref()
    return new OwnerGuard(folder, shell)
  }

  /** This process is killed when the owner ends before it. */
  async watch(name: string, pid: number, ended: Promise<unknown>): Promise<void> {
    const file = join(this.folder, `${name}.pid`)
    await writeFile(file, String(pid))
    // Its number may be that of another one later
    void ended.then(() => rm(file, { force: true }))
  }

  async close(): Promise<void> {
    this.shell.ref()
    this.shell.stdin?.end()
    if (this.shell.exitCode === null && this.shell.signalCode === null) await once(this.shell, 'exit')
    await rm(this.folder, { recursive: true, force: true })
  }
}
