// A thread of the service `lamp`: sends one reading of brightness 0, with the converter that its own plugin brings.
export default function main({ port, parts, kafka, close }) {
  port.once('message', async ({ name, topic }) => {
    const context = { jobId: name, signal: new AbortController().signal, log: () => undefined, count: () => undefined }
    const { encode } = parts.converter('lm00').open({}, context)
    const client = kafka(() => undefined)
    const producer = client.producer({ lingerMs: 0 })
    const value = encode({ source: name, timestampNs: BigInt(Date.now()) * 1_000_000n, value: 0 })
    const offset = await new Promise((resolve) => producer.send({ topic, key: name, value }, (_error, at) => resolve(at)))
    await producer.close()
    await client.close()
    port.postMessage(offset)
    await close()
  })
}
