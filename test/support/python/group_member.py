"""A member of a consumer group as the C++ file writer is one (librdkafka with its defaults): commits a command, then does it.

Arguments: brokers, group, topic. Prints a JSON line for all it does; SIGTERM makes it leave.
"""
import json
import signal
import sys

from confluent_kafka import Consumer, KafkaException

brokers, group, topic = sys.argv[1:]
going = True


def stop(*_):
    global going
    going = False


def say(**what):
    print(json.dumps(what), flush=True)


signal.signal(signal.SIGTERM, stop)
consumer = Consumer(
    {
        "bootstrap.servers": brokers,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "session.timeout.ms": 6000,
        "heartbeat.interval.ms": 500,
    }
)
consumer.subscribe([topic], on_assign=lambda _, parts: say(joined=[part.partition for part in parts]))
while going:
    message = consumer.poll(0.1)
    if message is None:
        continue
    if message.error():
        say(log=str(message.error()))
        continue
    name = message.value().decode()
    say(taking=name)
    try:
        consumer.commit(message=message, asynchronous=False)
        say(took=name)
    except KafkaException as error:
        say(log=f"{name}: {error}")
consumer.close()
