"""Compares a file with what is in Kafka: confluent-kafka and streaming_data_types read the topics, h5py reads the file.

usage: whole_chain.py BROKERS FILE PLAN.json
PLAN: {"events": [{topic, source, schema, path}], "logs": [{topic, source, schema, path}]}
Prints {"events": {path: {...}}, "logs": {path: {...}}}: how many there are in Kafka and whether the file has the same.
"""
import json
import sys

import confluent_kafka as ck
import h5py
import numpy as np
from streaming_data_types import DESERIALISERS


def messages(brokers, topic):
    """All values of a topic, in order of their offsets."""
    consumer = ck.Consumer({"bootstrap.servers": brokers, "group.id": "whole-chain", "enable.auto.commit": False})
    try:
        for partition in consumer.list_topics(topic, 10).topics[topic].partitions:
            where = ck.TopicPartition(topic, partition, 0)
            _, end = consumer.get_watermark_offsets(where, 10)
            consumer.assign([where])
            read = 0
            while read < end:
                message = consumer.poll(10)
                if message is None:
                    raise RuntimeError(f"{topic}: only {read} of {end} messages came")
                if message.error():
                    raise RuntimeError(f"{topic}: {message.error()}")
                read = message.offset() + 1
                yield message.value()
    finally:
        consumer.close()


def of_source(brokers, stream):
    for value in messages(brokers, stream["topic"]):
        if value[4:8].decode() == stream["schema"]:
            found = DESERIALISERS[stream["schema"]](value)
            if found.source_name == stream["source"]:
                yield found


def events(brokers, group, stream):
    ids, offsets, zeros, counts = [], [], [], []
    for message in of_source(brokers, stream):
        if stream["schema"] == "ev42":
            ids.append(message.detector_id)
            offsets.append(message.time_of_flight)
            zeros.append(message.pulse_time)
            counts.append(len(message.detector_id))
        else:
            assert len(message.reference_time) == 1, "the simulator sends one pulse a message"
            ids.append(message.pixel_id)
            offsets.append(message.time_of_flight)
            zeros.append(message.reference_time[0])
            counts.append(len(message.time_of_flight))
    index = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return {
        "pulses": len(zeros),
        "events": int(sum(counts)),
        "ids": bool(np.array_equal(group["event_id"][...], np.concatenate(ids))),
        "offsets": bool(np.array_equal(group["event_time_offset"][...], np.concatenate(offsets))),
        "zeros": bool(np.array_equal(group["event_time_zero"][...].astype(np.uint64), np.array(zeros, dtype=np.uint64))),
        "index": bool(np.array_equal(group["event_index"][...].astype(np.int64), index)),
    }


def log(brokers, group, stream):
    values, times, severities = [], [], []
    for message in of_source(brokers, stream):
        values.append(float(np.asarray(message.value).reshape(-1)[0]))
        times.append(message.timestamp_unix_ns)
        severities.append(getattr(message, "alarm_severity", None))
    same = {
        "messages": len(values),
        "values": bool(np.array_equal(group["value"][...].reshape(-1).astype(float), values)),
        "times": bool(np.array_equal(group["time"][...], times)),
        "content": group["value"][...].reshape(-1).astype(float).tolist(),
    }
    if "alarm_severity" in group:
        same["severities"] = [int(s) for s in group["alarm_severity"][...]]
    return same


def main():
    brokers, path, plan = sys.argv[1:]
    with open(plan) as text:
        plan = json.load(text)
    with h5py.File(path, "r") as file:
        print(
            json.dumps(
                {
                    kind: {stream["path"]: compare(brokers, file[stream["path"]], stream) for stream in plan[kind]}
                    for kind, compare in (("events", events), ("logs", log))
                }
            )
        )


main()
