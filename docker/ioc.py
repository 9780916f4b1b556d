"""Serves the demo's database and moves its values, so that there is something to see."""
import math
import time

from epicscorelibs import ioc

ioc.start_ioc(dbs=[("/ioc/ioc.db", "P=SE:")])
print("IOC is up", flush=True)
step = 0
while True:
    ioc.ioc(f"dbpf SE:TEMP {50 + 45 * math.sin(step / 50):.2f}")
    ioc.ioc(f"dbpf SE:FIELD {math.cos(step / 30):.3f}")
    ioc.ioc(f"dbpf SE:MOTOR {step}")
    step += 1
    time.sleep(0.5)
