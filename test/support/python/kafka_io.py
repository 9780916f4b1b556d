# Kafka as librdkafka speaks it: `produce` and `consume` records as JSON lines, `transact` to commit and abort.
import json
import sys

from confluent_kafka import Consumer, Producer, TopicPartition


def raw(text):
    return None if text is None else bytes.fromhex(text)


def hexed(data):
    return None if data is None else data.hex()


def send(producer, topic, record):
    producer.produce(
        topic,
        partition=record.get('partition', 0),
        key=raw(record.get('key')),
        value=raw(record.get('value')),
        headers=[(name, raw(value)) for name, value in record.get('headers', [])],
        timestamp=record.get('timestamp', 0),
    )


def produce(brokers, topic, codec):
    producer = Producer({'bootstrap.servers': brokers, 'compression.type': codec, 'linger.ms': 50, 'message.max.bytes': 20000000})
    for line in sys.stdin:
        send(producer, topic, json.loads(line))
    left = producer.flush(30)
    sys.exit(f'{left} records were not delivered' if left else 0)


def consume(brokers, topic, partition, first, end):
    consumer = Consumer(
        {
            'bootstrap.servers': brokers,
            'group.id': 'kafka_io',
            'enable.auto.commit': False,
            'check.crcs': True,
            'isolation.level': 'read_committed',
            'enable.partition.eof': False,
        }
    )
    consumer.assign([TopicPartition(topic, partition, first)])
    last = first - 1
    while last < end - 1:
        message = consumer.poll(30)
        if message is None:
            sys.exit(f'nothing after offset {last}')
        if message.error():
            sys.exit(str(message.error()))
        last = message.offset()
        record = {
            'offset': last,
            'key': hexed(message.key()),
            'value': hexed(message.value()),
            'headers': [[name, hexed(value)] for name, value in message.headers() or []],
            'timestamp': message.timestamp()[1],
        }
        print(json.dumps(record))
    consumer.close()


def transact(brokers, topic):
    """Lines `{"id", "end": "commit" | "abort" | "open", "records"}`; one producer for each id, interleaved as given."""
    producers = {}
    for line in sys.stdin:
        step = json.loads(line)
        producer = producers.get(step['id'])
        if producer is None:
            producer = Producer({'bootstrap.servers': brokers, 'transactional.id': f'{topic}-{step["id"]}'})
            producer.init_transactions(30)
            producers[step['id']] = producer
        if step.get('begin', True):
            producer.begin_transaction()
        for record in step['records']:
            send(producer, topic, record)
        producer.flush(30)
        if step['end'] == 'commit':
            producer.commit_transaction(30)
        if step['end'] == 'abort':
            producer.abort_transaction(30)


command, *arguments = sys.argv[1:]
if command == 'produce':
    produce(*arguments)
elif command == 'consume':
    brokers, topic, partition, first, end = arguments
    consume(brokers, topic, int(partition), int(first), int(end))
else:
    transact(*arguments)
