// Command: the running and the last ended jobs.
import { CodedError, type CommandDefinition } from '../core/api/plugin.js'

export default {
  cmd: 'jobs',
  summary: 'Lists the running jobs and the last ended ones, or shows all about one, with the report of its file.',
  schema: { type: 'object', properties: { job_id: { type: 'string', description: 'Only this job.' } } },
  examples: [{ cmd: 'jobs' }, { cmd: 'jobs', job_id: 'd7f0a1c2-run-42' }],
  run: async ({ job_id: id }, daemon) => {
    const one = typeof id === 'string' ? daemon.jobs.show(id) : undefined
    const jobs = id === undefined ? daemon.jobs.list() : one === undefined ? [] : [one]
    if (id !== undefined && one === undefined)
      throw new CodedError('JOB_UNKNOWN', `no job ${JSON.stringify(id)} is running or has ended lately`, {
        path: '/job_id'
      })
    return Promise.resolve({ response: 'ACK', status: 200, message: `${jobs.length} jobs`, result: jobs })
  }
} satisfies CommandDefinition
