// Error codes of the Kafka protocol: names, and what each means for the one who asked.

const names: Readonly<Record<number, string>> = {
  [-1]: 'UNKNOWN_SERVER_ERROR',
  1: 'OFFSET_OUT_OF_RANGE',
  2: 'CORRUPT_MESSAGE',
  3: 'UNKNOWN_TOPIC_OR_PARTITION',
  5: 'LEADER_NOT_AVAILABLE',
  6: 'NOT_LEADER_OR_FOLLOWER',
  7: 'REQUEST_TIMED_OUT',
  9: 'REPLICA_NOT_AVAILABLE',
  10: 'MESSAGE_TOO_LARGE',
  13: 'NETWORK_EXCEPTION',
  14: 'COORDINATOR_LOAD_IN_PROGRESS',
  15: 'COORDINATOR_NOT_AVAILABLE',
  16: 'NOT_COORDINATOR',
  17: 'INVALID_TOPIC_EXCEPTION',
  18: 'RECORD_LIST_TOO_LARGE',
  19: 'NOT_ENOUGH_REPLICAS',
  20: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  22: 'ILLEGAL_GENERATION',
  23: 'INCONSISTENT_GROUP_PROTOCOL (its members share out in another way)',
  24: 'INVALID_GROUP_ID',
  25: 'UNKNOWN_MEMBER_ID',
  26: 'INVALID_SESSION_TIMEOUT',
  27: 'REBALANCE_IN_PROGRESS',
  29: 'TOPIC_AUTHORIZATION_FAILED',
  30: 'GROUP_AUTHORIZATION_FAILED',
  31: 'CLUSTER_AUTHORIZATION_FAILED',
  32: 'INVALID_TIMESTAMP',
  33: 'UNSUPPORTED_SASL_MECHANISM',
  34: 'ILLEGAL_SASL_STATE',
  35: 'UNSUPPORTED_VERSION',
  36: 'TOPIC_ALREADY_EXISTS',
  37: 'INVALID_PARTITIONS',
  38: 'INVALID_REPLICATION_FACTOR',
  40: 'INVALID_CONFIG',
  41: 'NOT_CONTROLLER',
  42: 'INVALID_REQUEST',
  43: 'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  44: 'POLICY_VIOLATION',
  45: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  46: 'DUPLICATE_SEQUENCE_NUMBER',
  47: 'INVALID_PRODUCER_EPOCH',
  53: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  55: 'OPERATION_NOT_ATTEMPTED',
  56: 'KAFKA_STORAGE_ERROR',
  58: 'SASL_AUTHENTICATION_FAILED',
  59: 'UNKNOWN_PRODUCER_ID',
  60: 'REASSIGNMENT_IN_PROGRESS',
  74: 'FENCED_LEADER_EPOCH',
  75: 'UNKNOWN_LEADER_EPOCH',
  76: 'UNSUPPORTED_COMPRESSION_TYPE',
  78: 'OFFSET_NOT_AVAILABLE',
  79: 'MEMBER_ID_REQUIRED',
  81: 'GROUP_MAX_SIZE_REACHED',
  87: 'INVALID_RECORD',
  89: 'THROTTLING_QUOTA_EXCEEDED',
  90: 'PRODUCER_FENCED',
  100: 'UNKNOWN_TOPIC_ID',
  103: 'INCONSISTENT_TOPIC_ID'
}

export const errorName = (code: number): string => names[code] ?? `error ${code}`

export const OFFSET_OUT_OF_RANGE = 1
export const CORRUPT_MESSAGE = 2
export const UNKNOWN_TOPIC = 3
export const NOT_LEADER = 6
export const MESSAGE_TOO_LARGE = 10
export const RECORD_LIST_TOO_LARGE = 18
export const TOPIC_DENIED = 29
export const INVALID_TIMESTAMP = 32
/** The generation, or the member itself, is over. */
export const ILLEGAL_GENERATION = 22
export const UNKNOWN_MEMBER = 25
export const GROUP_REBALANCING = 27
export const MEMBER_ID_REQUIRED = 79
export const NOT_CONTROLLER = 41
export const DUPLICATE_SEQUENCE = 46
export const INVALID_RECORD = 87

/** What a user lacks that the broker refuses with this code; '' for other refusals. */
export function missingRight(code: number, right?: string): string {
  const given: Readonly<Record<number, string>> = {
    29: 'DESCRIBE on that topic',
    30: 'READ on that group',
    31: 'that right on the cluster'
  }
  const missing = given[code] === undefined ? undefined : (right ?? given[code])
  return missing === undefined ? '' : `; the user of this connection needs ${missing} (kafka-acls --add)`
}

const auth = new Set([29, 30, 31, 33, 34, 53, 58])
const leader = new Set([3, 5, 6, 9, 13, 56, 74, 75, 100, 103])
const producer = new Set([45, 47, 59, 90])
const final = new Set([10, 17, 18, 23, 24, 26, 32, 35, 37, 38, 40, 42, 43, 44, 55, 76, 87])

/** The batch is refused for some of its records. */
export const isRecordError = (code: number): boolean => code === INVALID_TIMESTAMP || code === INVALID_RECORD
/** The broker refuses this user. */
export const isAuthError = (code: number): boolean => auth.has(code)
/** Another broker may lead the partition by now. */
export const isLeaderError = (code: number): boolean => leader.has(code)
/** The broker no longer knows this producer id or its sequence. */
export const isProducerStateError = (code: number): boolean => producer.has(code)
/** Asking again will not help. */
export const isFinalError = (code: number): boolean => auth.has(code) || final.has(code)
