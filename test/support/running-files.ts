// Which test file each process of a parallel run is at: mocha names no file when a process dies or a time limit ends all.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

const FOLDER = 'NEXSTREAM_TEST_RUN'
const note = (folder: string): string => join(folder, String(process.pid))

/** For the process that starts the others, which find the folder in their environment. */
export function open(): void {
  process.env[FOLDER] = mkdtempSync(join(tmpdir(), 'nexstream-tests-'))
}

export function take(file: string | undefined): void {
  const folder = process.env[FOLDER]
  if (folder !== undefined && file !== undefined) writeFileSync(note(folder), relative('.', file))
}

export function leave(): void {
  const folder = process.env[FOLDER]
  if (folder !== undefined) rmSync(note(folder), { force: true })
}

/** Files that were begun and not ended. */
export function begun(): string[] {
  const folder = process.env[FOLDER]
  if (folder === undefined) return []
  return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
}

export function close(): void {
  const folder = process.env[FOLDER]
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
}
