"""The ASGI entry: the program as granian serves it (`app/server.py`)."""

from functools import partial

from app.serving import AsgiProgram
from app.shown import end_shown
from wsgi import app as program

app = AsgiProgram(program, program.config["SETTINGS"].threads, partial(end_shown, program))
