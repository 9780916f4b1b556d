// Files of the daemon's jobs, by the id of the job: listed without their folders, and read in parts. Only HDF5 files, and only those that are ended.
import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type JobInfo, type Jobs } from '../../core/api/plugin.js'
import { Refusal } from './guard.js'
import { type FileRow } from './wire.js'

/** Readings at once. */
const MOST_READINGS = 16
/** A reader that takes nothing for so long is cut. */
const IDLE_MS = 30_000
const SIGNATURE = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1')

const pathOf = (job: JobInfo | undefined): string | undefined => {
  const path = job?.['service'] === 'filewriter' ? job['file_name'] : undefined
  return typeof path === 'string' && path !== '' ? path : undefined
}

/** First and last byte that a Range header asks for; undefined: everything. Throws Refusal 416. */
export function rangeOf(header: string | undefined, size: number): readonly [number, number] | undefined {
  if (header === undefined) return undefined
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header) ?? []
  const first = from === '' ? Math.max(0, size - Number(to || Number.NaN)) : Number(from)
  const last = from === '' || to === '' ? size - 1 : Math.min(size - 1, Number(to))
  if (Number.isNaN(first) || first > last) throw new Refusal(416, 'no such part of the file; one range of bytes may be asked for') // prettier-ignore
  return [first, last]
}

export class JobFiles {
  #readings = 0

  constructor(readonly jobs: Jobs) {}

  routes(app: FastifyInstance): void {
    app.get('/api/files', async () => ({ files: await this.#list() }))
    app.get('/api/files/:id', (request, reply) => this.#give(request, reply))
  }

  async #list(): Promise<FileRow[]> {
    const rows = this.jobs.list().flatMap((job): Promise<FileRow>[] => {
      const path = pathOf(job)
      return path === undefined ? [] : [this.#row(job, path)]
    })
    return Promise.all(rows)
  }

  async #row(job: JobInfo, path: string): Promise<FileRow> {
    const { ended, verdict, state } = job
    const found = await stat(path).catch(() => undefined)
    return {
      id: String(job['job_id']),
      name: basename(path),
      state: String(state),
      verdict: typeof verdict === 'string' ? verdict : null,
      ended: typeof ended === 'string' ? ended : null,
      bytes: found?.isFile() === true ? found.size : null
    }
  }

  async #give(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { id } = request.params as { id: string }
    const job = this.jobs.show(id)
    const path = pathOf(job)
    if (path === undefined) throw new Refusal(404, 'no job of this name has a file')
    if (job?.['ended'] === null) throw new Refusal(409, 'the file is still being written')
    if (this.#readings >= MOST_READINGS) throw new Refusal(429, 'too many files are read at once; try again')
    this.#readings++
    let file: FileHandle | undefined
    try {
      file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined)
      const size = await sizeOf(file)
      if (file === undefined || size === undefined) throw new Refusal(404, 'the file is not there any more')
      return await send(file, basename(path), rangeOf(request.headers.range, size) ?? [0, size - 1], size, reply)
    } finally {
      await file?.close()
      this.#readings--
    }
  }
}

/** Undefined: this is no HDF5 file. */
async function sizeOf(file: FileHandle | undefined): Promise<number | undefined> {
  if (file === undefined) return undefined
  const found = await file.stat()
  if (!found.isFile()) return undefined
  const start = Buffer.alloc(SIGNATURE.length)
  await file.read(start, 0, start.length, 0)
  return start.equals(SIGNATURE) ? found.size : undefined
}

/** Resolves when all of it is sent, or the reader is gone. */
async function send(
  file: FileHandle,
  name: string,
  [start, end]: readonly [number, number],
  size: number,
  reply: FastifyReply
): Promise<FastifyReply> {
  const isPart = start > 0 || end < size - 1
  reply
    .code(isPart ? 206 : 200)
    .type('application/x-hdf5')
    .header('accept-ranges', 'bytes')
    .header('content-length', end - start + 1)
    .header('content-disposition', `attachment; filename="${name.replaceAll(/[^\w.+-]/g, '_')}"`)
  if (isPart) reply.header('content-range', `bytes ${start}-${end}/${size}`)
  reply.raw.setTimeout(IDLE_MS, () => reply.raw.destroy())
  const sent = new Promise((resolve) => reply.raw.once('close', resolve))
  // Its reading ends with the answer, whatever becomes of it
  void reply.send(file.createReadStream({ start, end, autoClose: false }))
  await sent
  return reply
}
