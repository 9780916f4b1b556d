"""Reads the demo's file with h5py, not with anything of nexstream, and prints what is in it as JSON."""
import json
import sys

import h5py


def log(group):
    value = group["value"][...].reshape(len(group["time"]), -1)[:, 0]
    found = {"values": value.tolist(), "times": [int(t) for t in group["time"][...]]}
    if "alarm_severity" in group:
        found["severities"] = [int(s) for s in group["alarm_severity"][...]]
    return found


def events(group):
    index = group["event_index"][...]
    return {
        "events": len(group["event_id"]),
        "offsets": len(group["event_time_offset"]),
        "pulses": len(group["event_time_zero"]),
        "indices": len(index),
        "sorted": bool((index[1:] >= index[:-1]).all()),
    }


with h5py.File(sys.argv[1], "r") as file:
    entry = file["entry"]
    print(
        json.dumps(
            {
                "detector": events(entry["instrument/detector/events"]),
                "monitor": events(entry["monitor/events"]),
                "temperature": log(entry["sample/temperature"]),
                "magnetic_field": log(entry["sample/magnetic_field"]),
                "angle": log(entry["sample/angle"]),
            }
        )
    )
