// Sample folders: structure and messages in, content of the file and parts of the report out. One runner for all of them.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { makeFile } from '../../plugins/service-filewriter/structure/make-file.js'
import { readMessages, type TopicMessage } from '../../plugins/service-filewriter/structure/messages.js'
import { type JobReport } from '../../plugins/service-filewriter/structure/report.js'
import { type WriterParts } from '../../plugins/service-filewriter/structure/structure.js'
import { readTemplate } from '../../plugins/service-filewriter/structure/template.js'
import { type Finding } from '../../core/api/plugin.js'
import { packageRoot } from '../../core/root.js'
import { readNexus } from '../support/nexus.js'
import { readJson } from '../../schemas/index.js'
import { type ColumnOptions } from '../../plugins/service-filewriter/writer-part.js'

const folder = join(packageRoot, 'test/samples/files')

interface Expected {
  /** What the sample shows, in words. */
  readonly about?: string
  /** Window in seconds since 1970; default: all there is. */
  readonly start?: number
  readonly stop?: number
  readonly lenient?: boolean
  readonly compression?: NonNullable<ColumnOptions['compression']>
  /** The structure is laid over this; `template.hdf` is made from `template.json` first. */
  readonly template?: 'template.json' | 'template.hdf'
  /** Files that are made first, in the same folder, each from a structure of the sample. */
  readonly beside?: Readonly<Record<string, string>>
  /** `CODE /path` of everything that a lenient run leaves out. */
  readonly findings?: readonly string[]
  /** Path in the file → value, or attribute as `path@name`; null: must not be there. */
  readonly content: Readonly<Record<string, unknown>>
  /** Parts of the report that must be as they are here. */
  readonly report?: Readonly<Record<string, unknown>>
  /** `PATH MODULE` → parts of the report of that stream. */
  readonly streams?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

export class Sample {
  readonly expected: Expected

  private constructor(readonly name: string) {
    this.expected = readJson(this.text('expected.json')) as Expected
  }

  /** All of them, or those named. */
  static all(names = readdirSync(folder).toSorted()): Sample[] {
    return names.map((name) => new Sample(name))
  }

  text(file: string): string {
    return readFileSync(join(folder, this.name, file), 'utf8')
  }

  messages(parts: WriterParts): TopicMessage[] {
    const path = join(folder, this.name)
    return existsSync(join(path, 'messages.jsonl')) ? readMessages(this.text('messages.jsonl'), path, parts) : []
  }

  /** Makes what lies beside the file. */
  async prepare(parts: WriterParts, into: string): Promise<void> {
    for (const [file, structure] of Object.entries(this.expected.beside ?? {}))
      await makeFile({ structure: this.text(structure), file: join(into, file), messages: this.messages(parts), parts })
  }

  /** Writes the file as `nexstream make-file` does; gives its path. */
  async make(
    parts: WriterParts,
    into: string
  ): Promise<{ file: string; report: JobReport & { findings: readonly Finding[] } }> {
    const { start, stop, template, compression, lenient = false } = this.expected
    await this.prepare(parts, into)
    const file = join(into, `${this.name}.nxs`)
    const ns = (seconds: number): bigint => BigInt(Math.round(seconds * 1e3)) * 1_000_000n
    const report = await makeFile({
      structure: this.text('structure.json'),
      file,
      messages: this.messages(parts),
      parts,
      lenient,
      reportInFile: true,
      run: { runName: 'run 7', instrumentName: 'AMOR', periods: 2 },
      ...(template !== undefined && { template: await readTemplate(await this.template(parts, into)) }),
      ...(compression !== undefined && { compression }),
      ...(start !== undefined && { startNs: ns(start) }),
      ...(stop !== undefined && { stopNs: ns(stop) })
    })
    return { file, report }
  }

  /** Path of the template. */
  async template(parts: WriterParts, into: string): Promise<string> {
    if (this.expected.template !== 'template.hdf') return join(folder, this.name, 'template.json')
    const made = join(into, `${this.name}-template.nxs`)
    await makeFile({ structure: this.text('template.json'), file: made, messages: [], parts })
    const file = join(into, `${this.name}-template.hdf`)
    renameSync(made, file)
    return file
  }

  async checkContent(file: string): Promise<void> {
    const { content: wanted } = this.expected
    const content = await readNexus(file, Object.keys(wanted))
    for (const [path, value] of Object.entries(wanted)) assert.deepEqual(content[path], value, path)
  }

  checkReport(report: JobReport): void {
    const { expected } = this
    const partOf = (whole: object, like: object): object =>
      Object.fromEntries(Object.keys(like).map((key) => [key, (whole as Record<string, unknown>)[key]]))
    assert.deepEqual(partOf(report, expected.report ?? {}), expected.report ?? {})
    for (const [which, wanted] of Object.entries(expected.streams ?? {})) {
      const stream = report.streams.find(({ path, module }) => `${path} ${module}` === which)
      assert.deepEqual(partOf(stream ?? {}, wanted), wanted, which)
    }
  }

  checkFindings(findings: readonly Finding[]): void {
    assert.deepEqual(
      findings.map(({ code, path }) => `${code} ${path}`),
      this.expected.findings ?? []
    )
  }
}
