// All faults of the campaign; a new one is one entry in one of these lists.
import { type Fault } from '../fault.js'
import { brokerFaults } from './broker.js'
import { daemonFaults } from './daemon.js'
import { diskFaults } from './disk.js'
import { networkFaults } from './network.js'
import { sourceFaults } from './source.js'

export const faults: readonly Fault[] = [
  ...daemonFaults,
  ...brokerFaults,
  ...networkFaults,
  ...diskFaults,
  ...sourceFaults
]
