"""The ASGI entry: the program as granian serves it (`app/serving/server.py`)."""

from functools import partial

from app.serving.adapter import AsgiProgram
from app.web.page_views import end_shown
from wsgi import app as program

app = AsgiProgram(program, program.config["SETTINGS"].threads, partial(end_shown, program))
