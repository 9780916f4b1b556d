// All faults of the campaign; a new one is one entry in one of these lists.
import { type Fault } from '../fault.js'
import { daemonFaults } from './daemon.js'
import { networkFaults } from './network.js'

export const faults: readonly Fault[] = [...daemonFaults, ...networkFaults]
