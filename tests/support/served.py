"""A program on the production server: `python -m tests.support.served PORT WORKERS THREADS MODULE:NAME`.

The serving processes import this module, too, and find the WSGI program's name in the environment.
"""

import os
import sys
from importlib import import_module

from app.serving.adapter import AsgiProgram
from app.serving.server import TARGET, serve

SERVED = "SERVED_PROGRAM"

if SERVED in os.environ:
    _module, _, _name = os.environ[SERVED].partition(":")
    app = AsgiProgram(getattr(import_module(_module), _name), int(os.environ["THREADS"]))

if __name__ == "__main__":
    served = TARGET if SERVED not in os.environ else "tests.support.served:app"
    serve("127.0.0.1", int(sys.argv[1]), workers=int(sys.argv[2]), target=served, stop_seconds=5)
