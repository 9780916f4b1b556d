// Command: the jobs of the daemon.
import { CodedError, type DaemonView, defineCommand } from '../core/api/plugin.js'

export default defineCommand({
  cmd: 'jobs',
  summary: 'Lists the running jobs and the last ended ones, or shows all about one, with the report of its file.',
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: { job_id: { type: 'string', description: 'Only this job.' } }
  },
  examples: [{ cmd: 'jobs' }, { cmd: 'jobs', job_id: 'd7f0a1c2-run-42' }],
  run: ({ job_id: id }, _origin, daemon: DaemonView) => {
    const one = id === undefined ? undefined : daemon.jobs.show(id)
    if (id !== undefined && one === undefined)
      throw new CodedError('JOB_UNKNOWN', `no job ${JSON.stringify(id)} is running or has ended lately`, {
        path: '/job_id'
      })
    const jobs = one === undefined ? daemon.jobs.list() : [one]
    return { response: 'ACK', status: 200, message: `${jobs.length} jobs`, result: jobs }
  }
})
