# What control programs at ESS and at SINQ do with just-bin-it, from how their devices behave. Prints what they have seen as JSON.
import json
import sys
import time
import uuid

import numpy as np
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from streaming_data_types import deserialise_hs00, deserialise_hs01, deserialise_x5f2, serialise_ev44

brokers = sys.argv[1]
T = json.loads(sys.argv[2])
PATIENCE_S = 90
readers = {b'hs00': deserialise_hs00, b'hs01': deserialise_hs01}
producer = Producer({'bootstrap.servers': brokers})


def listen(*topics):
    consumer = Consumer({'bootstrap.servers': brokers, 'group.id': str(uuid.uuid4()), 'enable.auto.commit': False})
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in topics])
    return consumer


def send(topic, value):
    producer.produce(topic, value if isinstance(value, bytes) else json.dumps(value).encode(), partition=0)
    producer.flush()


def events(topic, tof, pixel):
    ns = time.time_ns()
    send(topic, serialise_ev44('det', 1, [ns], [0], np.array(tof, np.int32), np.array(pixel, np.int32)))


def until(step, done, what):
    end = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > end:
            raise SystemExit(f'waited {PATIENCE_S} s for {what}')
        step()


# ---------------------------------------------------------------- ESS: one detector with several images


class EssImage:
    """Keeps what came before FINISHED: it leaves without looking at that one's counts."""

    def __init__(self, kind, **keys):
        self.kind, self.keys = kind, keys
        self.status, self.total, self.shape = 'OK', 0, None

    def configuration(self):
        self.id = f'nicos-{self.kind}-{int(time.time())}'
        usual = {'tof_range': [0, 100_000_000], 'det_range': [0, 100], 'num_bins': 50, 'width': 10, 'height': 10}
        topics = {'data_brokers': ['elsewhere:9092'], 'data_topics': [T['data']], 'topic': T['histograms']}
        return {'type': self.kind, **topics, 'left_edges': [], 'source': '', 'id': self.id, **usual, **self.keys}

    def hear(self, value):
        info = json.loads((hist := readers[value[4:8]](value))['info'])
        if info['id'] != self.id or self.status == 'FINISHED':
            return
        self.status = info['state']
        if self.status != 'FINISHED':
            self.total, self.shape = float(hist['data'].sum()), list(hist['data'].shape)


def ess():
    images = [EssImage('dethist', det_range=[1, 12], width=4, height=3), EssImage('hist1d', num_bins=5)]
    consumer = listen(T['histograms'], T['answers'], T['beats'])
    answers, beats = {}, []

    def step():
        message = consumer.poll(0.1)
        if message is None or message.error():
            return
        if message.topic() == T['answers']:
            answer = json.loads(message.value())
            answers[answer['msg_id']] = answer
        elif message.topic() == T['beats']:
            beats.append(deserialise_x5f2(message.value()))
        else:
            for image in images:
                image.hear(message.value())

    wish = f'nicos-jbi-{int(time.time())}'
    histograms = [{**image.configuration(), 'input_schema': 'ev44'} for image in images]
    command = {'cmd': 'config', 'msg_id': wish, 'input_schema': 'ev42', 'output_schema': 'hs01', 'histograms': histograms}
    send(T['words'], {**command, 'start': int(time.time()) * 1000})
    until(step, lambda: wish in answers, 'the answer')
    events(T['data'], [100, 30_000_000, 50_000_000], [1, 6, 12])
    # A preset of counts: the device ends by itself
    until(step, lambda: all(image.total >= 3 for image in images), 'three counts')
    events(T['data'], [60_000_000], [2])
    send(T['words'], b'{"cmd": "stop"}')
    until(step, lambda: all(image.status == 'FINISHED' for image in images), 'the end')
    until(step, lambda: beats, 'a heartbeat')
    seen = [[image.status, image.total, image.shape] for image in images]
    beat = beats[-1]
    return {'answer': answers[wish]['response'], 'images': seen, 'heartbeat': [beat.software_name, beat.update_interval]}


# ---------------------------------------------------------------- SINQ: each image is a device of its own


class SinqImage:
    def __init__(self, kind, shape, **keys):
        self.kind, self.shape, self.keys = kind, shape, keys
        self.id, self.status, self.result, self.sent_stop = None, 'OK', 0, False
        self.resets = 0
        self.consumer = listen(T['histograms2'])
        self.answers = listen(T['answers2'])

    def start(self):
        self.id, self.sent_stop, self.result, self.edges = f'hist-{uuid.uuid4()}', False, 0, None
        topics = {'data_brokers': ['elsewhere:9092'], 'data_topics': [T['data2']], 'topic': T['histograms2']}
        usual = {'tof_range': [0, 100], 'det_range': [0, 100], 'num_bins': 50, 'width': 10, 'height': 10, 'left_edges': []}
        histogram = {'type': self.kind, **topics, **usual, 'source': '', 'id': self.id, **self.keys}
        start = int(time.time()) * 1000
        send(T['words2'], {'cmd': 'config', 'msg_id': f'nicos-{uuid.uuid4()}', 'histograms': [histogram], 'start': start})
        self.status = 'BUSY starting'

    def stop(self):
        if self.sent_stop:
            return
        self.sent_stop = True
        send(T['words2'], {'cmd': 'stop', 'msg_id': f'nicos-{uuid.uuid4()}', 'hist_id': self.id, 'id': self.id})
        self.status = 'BUSY stopping'

    def reset(self):
        self.id, self.sent_stop = 'all', False
        self.stop()

    def step(self):
        for consumer in (self.answers, self.consumer):
            message = consumer.poll(0.05)
            if message is not None and not message.error():
                self.hear(message)

    def hear(self, message):
        try:
            words = json.loads(message.value())
        except (UnicodeDecodeError, json.JSONDecodeError):
            return self.take(message)
        if words.get('msg_id') == 'all' and words.get('response') == 'FIN':
            self.id, self.status = None, 'OK'
            self.resets += 1
        if words.get('response') == 'ERR':
            raise SystemExit(f'{self.kind}: {words.get("message")}')

    def take(self, message):
        if ('hist_id', (self.id or '').encode()) not in (message.headers() or []):
            return
        hist = readers[message.value()[4:8]](message.value())
        info = json.loads(hist['info'])
        if info['state'] == 'COUNTING':
            self.status = 'BUSY counting'
        if info['state'] == 'FINISHED':
            self.id, self.status = None, 'OK'
        if list(hist['data'].shape) != self.shape:
            raise SystemExit(f'{self.kind}: {hist["data"].shape}')
        self.result, self.data, self.dtype = info['num events'], hist['data'].tolist(), str(hist['data'].dtype)
        self.edges = np.asarray(hist['dim_metadata'][0]['bin_boundaries']).tolist()


def sinq():
    spectra = SinqImage('hist2dsinq', [3, 2], det_range=[5, 8], num_bins=2)
    image = SinqImage('hist2dsansllb', [2, 2], det_range=[5, 9], width=2, height=2)
    for device in (spectra, image):
        device.reset()

    def step():
        spectra.step()
        image.step()

    # Each hears what the other is told, too
    until(step, lambda: spectra.resets == image.resets == 2, 'the answers to a reset')
    for device in (spectra, image):
        device.start()
    until(step, lambda: spectra.edges and image.edges, 'the start')
    events(T['data2'], [0, 49, 50, 100, 101], [5, 7, 7, 8, 5])
    until(step, lambda: (spectra.result, image.result) == (3, 5), 'five events')
    spectra.stop()
    until(step, lambda: spectra.status == 'OK', 'the end of one')
    events(T['data2'], [1], [6])
    until(step, lambda: image.result == 6, 'the sixth event')
    image.stop()
    until(step, lambda: image.status == 'OK', 'the end of the other')
    return [[one.result, one.data, one.dtype, one.edges] for one in (spectra, image)]


print(json.dumps({'ess': ess(), 'sinq': sinq()}))
