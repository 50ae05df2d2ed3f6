"""A launcher asks its processes to stop, and takes them with it when it dies."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from worker.trainer.interrupt import ORPHANED
from worker.trainer.lifeline import Lifeline

PROCESS = """
import time
from worker.trainer.interrupt import Interrupt
from worker.trainer.lifeline import follow

interrupt = Interrupt()
follow(interrupt)
while not interrupt.requested:
    time.sleep(0.005)
print("asked", flush=True)
time.sleep(60)
"""


@pytest.fixture
def processes(request):
    lifeline = Lifeline(3)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS],
            stdin=lifeline._read,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    yield lifeline, started
    for process in started:
        process.kill()
        process.communicate()


def test_each_process_is_asked_once_and_all_leave_with_the_launcher(processes):
    lifeline, started = processes
    lifeline.ask_to_stop()  # before any of them looks
    lifeline.ask_to_stop()
    assert [process.stdout.readline() for process in started] == [b"asked\n"] * 3
    assert [process.poll() for process in started] == [None] * 3
    os.close(lifeline._write)
    assert [process.wait(10) for process in started] == [ORPHANED] * 3


def test_they_leave_unasked_too(processes):
    lifeline, started = processes
    os.close(lifeline._write)
    assert [process.wait(10) for process in started] == [ORPHANED] * 3
