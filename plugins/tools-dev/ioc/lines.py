"""Line protocol of the test servers: one JSON request per line on stdin, one JSON reply per line on file descriptor 3."""
import json
import os
import sys
import threading
import time

_out = os.fdopen(3, "w", buffering=1)
_lock = threading.Lock()


def reply(message):
    with _lock:
        _out.write(json.dumps(message) + "\n")


def ramp(put, names, n, hz, start=1):
    """Puts start, start+1, … n times into every name, `hz` times a second (0: as fast as it goes); the count of puts."""
    begin = time.monotonic()
    for i in range(n):
        for name in names:
            put(name, start + i)
        if hz > 0:
            wait = begin + (i + 1) / hz - time.monotonic()
            if wait > 0:
                time.sleep(wait)
    return n * len(names)


def _run(request, operations):
    try:
        result = operations[request["op"]](**request.get("args", {}))
        reply({"id": request["id"], "result": result})
    except Exception as error:  # whatever went wrong belongs to the one who asked
        reply({"id": request["id"], "error": "%s: %s" % (type(error).__name__, error)})


def serve(operations, ready=None):
    """Says READY and answers until stdin ends; a ramp runs in a thread of its own."""
    reply({"ready": True, **(ready or {})})
    for line in sys.stdin:
        request = json.loads(line)
        if request["op"] == "ramp":
            threading.Thread(target=_run, args=(request, operations), daemon=True).start()
        else:
            _run(request, operations)
    os._exit(0)
