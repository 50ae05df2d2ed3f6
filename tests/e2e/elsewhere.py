"""`python -m tests.e2e.elsewhere -m celery …`: a worker as if on a host of the name in `HOST`.

It shares the folder of runs with the others, but sees no process of theirs, nor they its own. Its
clock goes wrong by `CLOCK` seconds.
"""

from __future__ import annotations

import os
import runpy
import socket
import sys
import time

wrong, right = float(os.environ.get("CLOCK", "0")), time.time
time.time = lambda: right() + wrong  # before anybody takes it by its name

from app.workers import processes  # noqa: E402

name = os.environ["HOST"]
socket.gethostname = lambda: name
processes.host_key = lambda: name
_, _option, module, *arguments = sys.argv
sys.argv = [module, *arguments]
runpy.run_module(module, run_name="__main__", alter_sys=True)
