"""Prints what MCAP's own reader finds in a file: one JSON line a message, then one of the summary."""
import base64
import json
import sys

from mcap.reader import make_reader

with open(sys.argv[1], "rb") as stream:
    reader = make_reader(stream, validate_crcs=True)
    summary = reader.get_summary()
    for schema, channel, message in reader.iter_messages(log_time_order=False):
        line = {
            "schema": None if schema is None else [schema.name, schema.encoding, len(schema.data)],
            "topic": channel.topic,
            "encoding": channel.message_encoding,
            "metadata": channel.metadata,
            "sequence": message.sequence,
            "log_time": str(message.log_time),
            "data": base64.b64encode(message.data).decode(),
        }
        print(json.dumps(line))
    print(
        json.dumps(
            {
                "library": reader.get_header().library,
                "messages": summary.statistics.message_count,
                "chunks": len(summary.chunk_indexes),
                "metadata": {record.name: record.metadata for record in reader.iter_metadata()},
                # The index alone leads there
                "indexed": sum(1 for _ in reader.iter_messages(log_time_order=True)),
            }
        )
    )
