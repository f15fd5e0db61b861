"""Signals to shut down at any moment."""

import subprocess
import sys

from app.settings.config import PROJECT

# Sends the signal at each step of the waiting in turn, until there are no more steps.
AT_EVERY_STEP = """
import os, signal, sys
from services.core.shutdown import told_to_end

number = steps = 1
while steps >= number:
    steps = 0

    def trace(frame, event, argument):
        global steps
        steps += 1
        if steps == number:
            os.kill(os.getpid(), signal.SIGTERM)
        return trace

    with told_to_end() as told:
        assert not told(0)
        sys.settrace(trace)
        told(0)
        sys.settrace(None)
        assert told(0) == (steps >= number)
    number += 1
print(number > 2)
"""


def test_a_signal_may_come_while_the_process_looks_whether_it_has_come() -> None:
    """The waiting and the signal handler must not share a lock: both are the same thread."""
    done = subprocess.run(
        [sys.executable, "-c", AT_EVERY_STEP], cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
