"""The work of the forwarder in Python, as the field's Python forwarder does it: one callback per update, serialise, produce.

yardstick.py BROKERS ca|pva SCHEMA TOPIC   with one PV name per line on stdin; ends on SIGTERM.
"""
import signal
import sys
import threading

from confluent_kafka import Producer

brokers, protocol, schema, topic = sys.argv[1:5]
names = sys.stdin.read().split()
producer = Producer({"bootstrap.servers": brokers, "acks": "all", "enable.idempotence": True, "message.max.bytes": 20_000_000, "linger.ms": 5})
stopping = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stopping.set())
signal.signal(signal.SIGINT, lambda *_: stopping.set())

if schema == "f142":
    from streaming_data_types.logdata_f142 import serialise_f142

    def serialise(name, value, time_ns):
        return serialise_f142(value, name, time_ns)
elif schema == "ad00":
    from streaming_data_types.area_detector_ad00 import serialise_ad00

    def serialise(name, value, time_ns):
        return serialise_ad00(source_name=name, unique_id=0, timestamp_ns=time_ns, data=value)
else:
    from streaming_data_types.logdata_f144 import serialise_f144

    def serialise(name, value, time_ns):
        return serialise_f144(name, value, time_ns)


def send(name, value, time_ns):
    while True:
        try:
            producer.produce(topic, key=name, value=serialise(name, value, time_ns), timestamp=time_ns // 1_000_000)
            return
        except BufferError:
            producer.poll(0.01)


if protocol == "ca":
    from caproto.threading.client import Context

    context = Context()
    subscriptions = []

    def subscribe(pv):
        subscription = pv.subscribe(data_type="time")
        name = pv.name

        def update(sub, response):
            stamp = response.metadata.stamp
            seconds, nanoseconds = stamp.secondsSinceEpoch + 631152000, stamp.nanoSeconds
            send(name, response.data[0], seconds * 1_000_000_000 + nanoseconds)

        subscription.add_callback(update)
        subscriptions.append((subscription, update))

    for one in context.get_pvs(*names, timeout=None):
        subscribe(one)
else:
    from p4p.client.thread import Context

    context = Context("pva", nt=False)

    def listener(name):
        def update(value):
            if isinstance(value, Exception):
                return
            stamp = value["timeStamp"]
            send(name, value["value"], stamp["secondsPastEpoch"] * 1_000_000_000 + stamp["nanoseconds"])

        return update

    subscriptions = [context.monitor(name, listener(name)) for name in names]

while not stopping.is_set():
    producer.poll(0.1)
producer.flush(10)
