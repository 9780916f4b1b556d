// The name that servers are told.
import { userInfo } from 'node:os'

/** The user of this process; some containers have no name for it. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    return 'nobody'
  }
}
