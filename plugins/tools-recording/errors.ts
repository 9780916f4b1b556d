// Codes of errors about recordings; those that every tool may have are the core's.

/** Code → what it means and what to do. */
export const errors = {
  RECORDING_EXISTS: 'The recording exists already; nothing is ever overwritten. Give another name.',
  RECORDING_FAILED: 'The recording cannot be written (disk full, no permission). It is readable up to its last chunk.'
} as const
