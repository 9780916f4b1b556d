# Prints what h5py finds in a file: every object with its attributes, type, shape and content.
import json
import sys

import h5py
import hdf5plugin  # noqa: F401
import numpy as np


def plain(value):
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.generic):
        return plain(value.item())
    # exact: JSON readers would round large integers
    return str(value) if isinstance(value, int) and abs(value) > 2**53 else value


def kind(dtype):
    text = h5py.check_string_dtype(dtype)
    if text is not None:
        return f"string{text.length or ''}-{text.encoding}"
    return dtype.name


out = {}
with h5py.File(sys.argv[1], "r") as file:

    def note(name, item):
        entry = {"attributes": {key: [kind(item.attrs.get_id(key).dtype), plain(item.attrs[key])] for key in item.attrs}}
        if isinstance(item, h5py.Dataset):
            entry.update(dtype=kind(item.dtype), shape=list(item.shape), maxshape=list(item.maxshape), chunks=item.chunks and list(item.chunks))
            entry["value"] = plain(item[()]) if item.size <= 2000 else None
        else:
            entry["links"] = {}
            for key in item:
                link = item.get(key, getlink=True)
                if isinstance(link, h5py.SoftLink):
                    entry["links"][key] = ["soft", link.path]
                elif isinstance(link, h5py.ExternalLink):
                    entry["links"][key] = ["external", link.filename, link.path]
        out[name] = entry

    note("/", file)
    file.visititems(note)
print(json.dumps(out))
