// What a topic holds of each source, in order: values and connection states.
import { connectKafka } from '../../../core/kafka/client.js'
import { decodeJson, schemaId } from '../../../schemas/index.js'
import { logF142, logF144 } from '../../../plugins/converter-logs/codec.js'

export interface Account {
  readonly values: unknown[]
  /** ep01 codes of ep00 and ep01 messages. */
  readonly connections: number[]
}

/** Reads a topic of one partition from its start to its present end. */
export async function accounts(brokers: readonly string[], topic: string): Promise<Map<string, Account>> {
  const kafka = connectKafka({ brokers: [...brokers] })
  const end = (await kafka.offsets(topic, [0], 'latest')).get(0) ?? 0
  const reader = kafka.reader({ assign: [{ topic, partition: 0, offset: 0 }], maxWaitMs: 100 })
  const found = new Map<string, Account>()
  try {
    for (let next = 0; next < end;) {
      const batch = await reader.next()
      if (batch === null) throw new Error('the reader was closed')
      for (let i = 0; i < batch.count; i++) note(found, String(batch.key(i)), Buffer.from(batch.value(i) ?? []))
      next = batch.nextOffset
      batch.release()
    }
  } finally {
    await reader.close()
    await kafka.close()
  }
  return found
}

function note(found: Map<string, Account>, key: string, message: Buffer): void {
  const account = found.get(key) ?? { values: [], connections: [] }
  found.set(key, account)
  const id = schemaId(message)
  if (id === 'f142') account.values.push(logF142.decode(message).value)
  else if (id === 'f144') account.values.push(logF144.decode(message).value)
  else if (id === 'ep01' || id === 'ep00') {
    const { status, type } = decodeJson(message).message as { status?: { value: number }; type?: { value: number } }
    account.connections.push((status ?? type)!.value)
  }
}
