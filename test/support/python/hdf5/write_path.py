# The yardstick of bench/write-path.ts: messages from Kafka by confluent-kafka, appended by h5py.
# write_path.py append|batch TASK.json FILE [MOST_MESSAGES], or: write_path.py check TASK.json FILE
import json
import resource
import sys
import time

import h5py
import numpy as np
from confluent_kafka import Consumer, TopicPartition
from streaming_data_types import deserialise_ev44, deserialise_f142, deserialise_f144

what, task, path = sys.argv[1], json.load(open(sys.argv[2])), sys.argv[3]
most = min(task["messages"], int(sys.argv[4]) if len(sys.argv) > 4 else task["messages"])
EVENTS = task["kind"] == "events"
NAMES = ("event_id", "event_time_offset", "event_time_zero", "event_index") if EVENTS else ("value", "time")


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def check():
    """Lengths and sums of all datasets together: what every contestant must agree on."""
    found = {name: [0, 0] for name in NAMES}
    with h5py.File(path) as file:
        for group in file["entry"].values():
            for name in NAMES:
                if name not in group:
                    continue
                data = group[name][()]
                found[name][0] += len(data)
                found[name][1] += int(data.astype("f8").sum()) if name == "value" else int(data.sum(dtype="u8")) % 2**53
    print(json.dumps(found))


def structure(file):
    entry = file.create_group("entry")
    entry.attrs["NX_class"] = "NXentry"
    columns = {}
    for i, source in enumerate(task["sources"]):
        group = entry.create_group(f"group_{i}")
        group.attrs["NX_class"] = "NXevent_data" if EVENTS else "NXlog"
        if EVENTS:
            types = (("event_id", "i4", 1 << 18), ("event_time_offset", "i4", 1 << 18),
                     ("event_time_zero", "u8", 1024), ("event_index", "i8", 1024))
        else:
            types = (("value", "f8", 1024), ("time", "u8", 1024))
        columns[source] = [
            group.create_dataset(name, (0,), dtype, maxshape=(None,), chunks=(chunk,)) for name, dtype, chunk in types
        ]
    return columns


def extend(item, data):
    n = len(item)
    item.resize((n + len(data),))
    item[n:] = data


def rows(value, columns, counts):
    """Source and one array per dataset."""
    if EVENTS:
        event = deserialise_ev44(value)
        first = counts.get(event.source_name, 0)
        counts[event.source_name] = first + len(event.time_of_flight)
        index = event.reference_time_index.astype("i8") + first
        return event.source_name, (event.pixel_id, event.time_of_flight, event.reference_time, index)
    log = (deserialise_f144 if value[4:8] == b"f144" else deserialise_f142)(value)
    stamp = log.timestamp_unix_ns
    return log.source_name, ((log.value,), (stamp,))


def main():
    start, begun = cpu(), time.perf_counter()
    file = h5py.File(path, "w")
    columns = structure(file)
    structured = time.perf_counter() - begun
    consumer = Consumer({"bootstrap.servers": ",".join(task["brokers"]), "group.id": "bench", "enable.auto.commit": False,
                         "fetch.message.max.bytes": 8 << 20, "queued.max.messages.kbytes": 65536})
    consumer.assign([TopicPartition(topic, 0, 0) for topic in task["topics"]])
    counts, got, waiting, held = {}, 0, {}, 0

    def flush():
        for source, lists in waiting.items():
            for item, parts in zip(columns[source], lists):
                extend(item, np.concatenate(parts))
        waiting.clear()

    while got < most:
        for message in consumer.consume(min(10000, most - got), 1.0):
            if message.error():
                raise SystemExit(str(message.error()))
            got += 1
            source, arrays = rows(message.value(), columns, counts)
            if what == "append":
                for item, data in zip(columns[source], arrays):
                    extend(item, data)
                continue
            lists = waiting.setdefault(source, [[] for _ in arrays])
            for parts, data in zip(lists, arrays):
                parts.append(data)
            held += len(message.value())
            if held > 64 << 20:
                flush()
                held = 0
    flush()
    consumer.close()
    file.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"cpu": cpu() - start, "wall": time.perf_counter() - begun, "units": task["units"] * got / task["messages"],
                      "rss": peak, "ready": structured}))


check() if what == "check" else main()
