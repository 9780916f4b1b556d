"""Builds and reads run messages with the reference package: one JSON object a line in, one a line out."""
import base64
import json
import sys

from streaming_data_types import (
    deserialise_6s4t,
    deserialise_answ,
    deserialise_pl72,
    deserialise_wrdn,
    deserialise_x5f2,
    serialise_6s4t,
    serialise_pl72,
)

makers = {"pl72": serialise_pl72, "6s4t": serialise_6s4t}
readers = {
    "pl72": deserialise_pl72,
    "6s4t": deserialise_6s4t,
    "answ": deserialise_answ,
    "wrdn": deserialise_wrdn,
    "x5f2": deserialise_x5f2,
}


def plain(value):
    if hasattr(value, "timestamp") and callable(value.timestamp):
        return value.timestamp() * 1000
    if hasattr(value, "_asdict"):
        return {key: plain(item) for key, item in value._asdict().items()}
    if hasattr(value, "name") and hasattr(value, "value"):
        return value.name
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


for line in sys.stdin:
    job = json.loads(line)
    if "make" in job:
        message = makers[job["make"]](**job["fields"])
        answer = base64.b64encode(bytes(message)).decode()
    else:
        data = base64.b64decode(job["read"])
        answer = plain(readers[data[4:8].decode()](data))
    print(json.dumps(answer), flush=True)
