// What the daemon answers to a question, asked anew when another one is asked, or the token or anything else has changed.
import { useEffect, useState } from 'preact/hooks'
import { getJson, token } from './api.js'
import { useStore } from './store.js'

/** Undefined until it is there; text says why there is none. */
export function useAnswer<T extends object>(path: string, cause = ''): T | string | undefined {
  const [answer, setAnswer] = useState<T | string | undefined>(undefined)
  const given = useStore(token)
  useEffect(() => {
    const stop = new AbortController()
    getJson<T>(path, stop.signal).then(
      (found) => setAnswer(found),
      (error: Error) => !stop.signal.aborted && setAnswer(error.message)
    )
    return () => stop.abort()
  }, [path, cause, given])
  return answer
}
