# Reads a list of {file, datasets: {path: {shape, sha256}}} from stdin and says where h5py sees something else.
import hashlib
import json
import sys

import h5py
import hdf5plugin  # noqa: F401  (registers the zstd filter)

wrong = []
seen = 0
for case in json.load(sys.stdin):
    with h5py.File(case["file"], "r") as file:
        for path, want in case["datasets"].items():
            data = file[path][()]
            got = hashlib.sha256(data.tobytes()).hexdigest()
            seen += 1
            if list(data.shape) != want["shape"] or got != want["sha256"]:
                wrong.append(f"{case['file']} {path}: {list(data.shape)} for {want['shape']}, content {'same' if got == want['sha256'] else 'differs'}")
        for path, names in case.get("attributes", {}).items():
            got = {name: str(value) for name, value in file[path].attrs.items()}
            if got != names:
                wrong.append(f"{case['file']} {path}: attributes {got} for {names}")
print(json.dumps({"seen": seen, "wrong": wrong}))
