// Jobs: accepted start commands, as services open them and everybody may list them.
export type JobState = 'accepted' | 'starting' | 'running' | 'stopping' | 'done' | 'failed'
/** What `nexstream jobs` shows of a job: plain JSON, snake_case. */
export type JobInfo = Readonly<Record<string, unknown>>
/** One accepted start command. */
export interface Job {
  readonly id: string
  readonly service: string
  readonly state: JobState
  /** Accepted → starting → running → stopping → done | failed; every state may go to stopping or failed. */
  to(state: JobState, message?: string): void
  info(): JobInfo
}
/** The jobs of the daemon; shown by the `jobs` command and in the status. */
export interface Jobs {
  /**
   * `describe` gives the service's own keys of the job, called when someone looks: in short for lists, with `detail` for one job.
   * Throws JOB_EXISTS or a plugin's refusal.
   */
  open(id: string, service: string, describe: (detail: boolean) => JobInfo): Promise<Job>
  get(id: string): Job | undefined
  list(): JobInfo[]
  /** All about a running job or one of the last ended ones. */
  show(id: string): JobInfo | undefined
}
