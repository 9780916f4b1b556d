# librdkafka's figures for kafka-read.ts and kafka-produce.ts: prints one cost as JSON.
import json
import resource
import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition

verb, brokers, topic, messages, size, codec = sys.argv[1:]
messages, size = int(messages), int(size)


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def read():
    # The default backoff of 1 s would make it wait, not work.
    settings = {'fetch.queue.backoff.ms': 5, 'queued.min.messages': 1000000, 'queued.max.messages.kbytes': 65536}
    settings |= {'fetch.max.bytes': 8 << 20, 'fetch.message.max.bytes': 8 << 20, 'check.crcs': True}
    consumer = Consumer({'bootstrap.servers': brokers, 'group.id': 'bench', 'enable.auto.commit': False} | settings)
    consumer.assign([TopicPartition(topic, 0, 0)])
    count = total = 0
    while count < messages:
        for message in consumer.consume(10000, 30):
            value = message.value()
            total += value[0] + value[-1]
            count += 1
    consumer.close()
    return total


def produce():
    settings = {'acks': 'all', 'linger.ms': 5, 'batch.size': 900000, 'queue.buffering.max.messages': 1000000, 'compression.type': codec}
    producer = Producer({'bootstrap.servers': brokers} | settings)
    value = b'x' * size
    for i in range(messages):
        while True:
            try:
                producer.produce(topic, value, partition=0)
                break
            except BufferError:
                producer.poll(0.05)
        if i % 1000 == 0:
            producer.poll(0)
    if producer.flush(120):
        sys.exit('not all messages were delivered')


start, before = time.monotonic(), cpu()
read() if verb == 'read' else produce()
cost = {'cpu': cpu() - before, 'wall': time.monotonic() - start, 'units': messages}
print(json.dumps(cost | {'rss': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
