// Two hosts on one machine: a network namespace behind a pair of virtual interfaces; two loopback addresses where that is not allowed.
import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Hosts {
  /** What stands for the network: `namespace` (a cable that can be pulled, broadcasts) or `loopback`. */
  readonly kind: 'namespace' | 'loopback'
  /** Address of the other host. */
  readonly address: string
  /** Where to search for servers there. */
  readonly searchAddress: string
  /** Words before a command that is to run there. */
  readonly wrap: readonly string[]
  /** Pulls or plugs the cable; namespace only. */
  cable(state: 'up' | 'down'): Promise<void>
  close(): Promise<void>
}

const notAllowed = /Operation not permitted|Permission denied|ENOENT|EPERM|Cannot open netlink/

/** Makes the other host; anything but a lack of rights or of the `ip` tool is an error. */
export async function twoHosts(): Promise<Hosts> {
  const id = randomInt(1, 250)
  const name = `nexstream${id}`
  const ip = (...args: string[]) => run('ip', args)
  try {
    await ip('netns', 'add', name)
  } catch (error) {
    if (!notAllowed.test(String(error))) throw error
    const nothing = (): Promise<void> => Promise.resolve()
    return { kind: 'loopback', address: '127.0.0.2', searchAddress: '127.0.0.2', wrap: [], cable: nothing, close: nothing } // prettier-ignore
  }
  const close = async (): Promise<void> => {
    await ip('netns', 'del', name)
  }
  try {
    const [here, there] = [`nx${id}a`, `nx${id}b`]
    await ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name)
    await ip('addr', 'add', `10.213.${id}.2/24`, 'brd', '+', 'dev', here)
    await ip('-n', name, 'addr', 'add', `10.213.${id}.1/24`, 'brd', '+', 'dev', there)
    await ip('-n', name, 'link', 'set', 'lo', 'up')
    await ip('-n', name, 'link', 'set', there, 'up')
    await ip('link', 'set', here, 'up')
    return {
      kind: 'namespace',
      address: `10.213.${id}.1`,
      searchAddress: `10.213.${id}.255`,
      wrap: ['ip', 'netns', 'exec', name],
      cable: async (state) => {
        await ip('-n', name, 'link', 'set', there, state)
      },
      close
    }
  } catch (error) {
    await close()
    throw error
  }
}
