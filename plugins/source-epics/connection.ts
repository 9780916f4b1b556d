// States of a channel, by their codes in ep01.

export const Connection = {
  UNKNOWN: 0,
  NEVER_CONNECTED: 1,
  CONNECTED: 2,
  DISCONNECTED: 3,
  DESTROYED: 4,
  CANCELLED: 5,
  FINISHED: 6,
  REMOTE_ERROR: 7
} as const
