# Producers of librdkafka that are told over stdin what to send, one JSON line each; answers with the offsets.
import json
import sys

from confluent_kafka import Producer

producers = {}


def producer(brokers, order):
    name = order['producer']
    if name not in producers:
        config = {'bootstrap.servers': brokers, 'linger.ms': 5, 'compression.type': order['codec'], 'batch.num.messages': 7}
        if order['transactional']:
            config['transactional.id'] = name
        producers[name] = Producer(config)
        if order['transactional']:
            producers[name].init_transactions(30)
    return producers[name]


def carry_out(brokers, order):
    if order['records'] is None:
        producers.clear()
        return {}
    its = producer(brokers, order)
    offsets = [None] * len(order['records'])

    def told(i):
        def tell(error, message):
            offsets[i] = message.offset() if error is None else str(error)

        return tell

    if order['begin']:
        its.begin_transaction()
    for i, record in enumerate(order['records']):
        value = record['value']
        its.produce(
            order['topic'],
            partition=record['partition'],
            key=record['key'],
            value=None if value is None else bytes.fromhex(value),
            headers=[(name, text) for name, text in record['headers']],
            timestamp=record['timestamp'],
            on_delivery=told(i),
        )
    its.flush(30)
    if order['end'] == 'commit':
        its.commit_transaction(30)
    if order['end'] == 'abort':
        its.abort_transaction(30)
    return {'offsets': offsets}


brokers = sys.argv[1]
for line in sys.stdin:
    try:
        answer = carry_out(brokers, json.loads(line))
    except Exception as error:
        answer = {'error': str(error)}
    print(json.dumps(answer), flush=True)
