# Reads histogram messages with the field's own deserialisers: lines `hex` in, one JSON each out.
import json
import sys

import numpy as np
from streaming_data_types import deserialise_da00, deserialise_hs00, deserialise_hs01


def plain(value):
    return value.tolist() if isinstance(value, np.ndarray) else value


for line in sys.stdin:
    message = bytes.fromhex(line.strip())
    schema = message[4:8].decode()
    if schema == 'da00':
        array = deserialise_da00(message)
        variables = {
            one.name: {'unit': one.unit, 'label': one.label, 'axes': one.axes, 'shape': [int(n) for n in one.shape], 'data': plain(one.data)}
            for one in array.data
        }
        print(json.dumps({'schema': schema, 'source': array.source_name, 'variables': variables}))
        continue
    record = {'hs00': deserialise_hs00, 'hs01': deserialise_hs01}[schema](message)
    dims = record['dim_metadata']
    print(
        json.dumps(
            {
                'schema': schema,
                'source': record['source'],
                'shape': [int(n) for n in record['current_shape']],
                'dtype': str(record['data'].dtype),
                'data': plain(record['data']),
                'edges': [plain(dim['bin_boundaries']) for dim in dims],
                'units': [dim['unit'] for dim in dims],
                'info': record['info'],
            }
        )
    )
