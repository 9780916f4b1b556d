# What the same work costs in Python: confluent-kafka, ess-streaming-data-types, numpy or fast-histogram. Prints one cost as JSON.
import json
import resource
import sys
import time

import numpy as np
from confluent_kafka import Consumer, Producer, TopicPartition
from streaming_data_types import deserialise_ev44, serialise_hs01

brokers, topic, out, messages, kind, way = sys.argv[1:]
messages = int(messages)
BINS, TOP, SIDE = 1000, 71_428_571, 1024
if way == 'fast-histogram':
    from fast_histogram import histogram1d, histogram2d


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def count(event):
    if kind == 'tof':
        if way == 'fast-histogram':
            return histogram1d(event.time_of_flight, range=(0, TOP), bins=BINS)
        return np.histogram(event.time_of_flight, range=(0, TOP), bins=BINS)[0]
    pixel = event.pixel_id - 1
    if way == 'fast-histogram':
        return histogram2d(pixel % SIDE, pixel // SIDE, range=((0, SIDE), (0, SIDE)), bins=(SIDE, SIDE))
    return np.bincount(pixel, minlength=SIDE * SIDE).reshape(SIDE, SIDE)


def send(producer, total):
    dims = [{'length': n, 'unit': '', 'label': '', 'bin_boundaries': np.arange(n + 1.0)} for n in total.shape]
    value = {'source': 'bench', 'timestamp': 1, 'current_shape': total.shape, 'dim_metadata': dims, 'data': total}
    producer.produce(out, serialise_hs01(value), partition=0)
    producer.poll(0)


start, before = time.monotonic(), cpu()
settings = {'fetch.queue.backoff.ms': 5, 'queued.min.messages': 1000000, 'queued.max.messages.kbytes': 65536}
settings |= {'fetch.max.bytes': 8 << 20, 'fetch.message.max.bytes': 8 << 20, 'check.crcs': True}
consumer = Consumer({'bootstrap.servers': brokers, 'group.id': 'bench', 'enable.auto.commit': False} | settings)
producer = Producer({'bootstrap.servers': brokers, 'message.max.bytes': 100_000_000})
consumer.assign([TopicPartition(topic, 0, 0)])
total, events, done, last = 0, 0, 0, time.monotonic()
while done < messages:
    for message in consumer.consume(10, 30):
        event = deserialise_ev44(message.value())
        events += len(event.time_of_flight)
        total = total + count(event)
        done += 1
    if time.monotonic() - last > 0.5:
        send(producer, total)
        last = time.monotonic()
send(producer, total)
producer.flush(60)
consumer.close()
cost = {'cpu': cpu() - before, 'wall': time.monotonic() - start, 'units': events, 'sum': int(total.sum())}
print(json.dumps(cost | {'rss': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
