"""The technical log: one JSON object on each line, without personal data.

It tells what went wrong and where, by the names of our own code. What users sent is not in it: no query string, no
form, no path, and of an exception its kind and the lines of the program that it passed, but not its words, which
may hold anything. Who did what to whom is the access log's affair (`services.audit`).
"""

import json
import logging
import re
import secrets
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from flask import Flask, g, has_request_context, request

_NUMBER = re.compile(r"(?<!\d)\d{6}\s?\d{5}(?!\d)")
_MAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")
_QUERY = re.compile(r"\?[^\s\"']+")
_ACCESS = re.compile(r"access")  # a server's own log of requests holds paths and query strings


def request_id() -> str:
    """What names the present request in the log, and on the page that says that something went wrong."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(6)
    return str(g.request_id)


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON: line breaks and the like are escaped, so that no line can be forged."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_personal_data(record.getMessage()),
        }
        if has_request_context():
            user = g.get("viewer")
            line |= {"request": request_id(), "method": request.method, "view": request.endpoint}
            line |= {"user": user.user_id} if user else {}
        if record.exc_info and record.exc_info[0]:
            line |= {"exception": record.exc_info[0].__name__, "stack": _stack(record.exc_info[2])}
        return json.dumps(line, ensure_ascii=True)


def without_personal_data(text: str) -> str:
    """A message with marks in place of national identity numbers, e-mail addresses and query strings."""
    return _QUERY.sub("?<query>", _MAIL.sub("<e-mail>", _NUMBER.sub("<number>", text)))


def _stack(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def init_logs(app: Flask) -> None:
    """Let everything that this process logs be JSON lines on standard error. In tests pytest has its own way."""
    app.log_exception = _log_exception  # type: ignore[method-assign]
    app.jinja_env.globals["request_id"] = request_id
    if app.testing:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.getLogger().handlers = [handler]
    app.logger.handlers = []
    for name in list(logging.root.manager.loggerDict):  # a server's and libraries', which were here before us
        for existing in logging.getLogger(name).handlers:
            existing.setFormatter(JsonLines())
    for name in logging.root.manager.loggerDict:
        if _ACCESS.search(name):
            logging.getLogger(name).disabled = True
    logging.captureWarnings(True)
    sys.excepthook = _log_end
    threading.excepthook = lambda ended: _log_end(ended.exc_type, ended.exc_value, ended.exc_traceback)
    sys.unraisablehook = lambda ended: _log_end(ended.exc_type, ended.exc_value, ended.exc_traceback)


def _log_end(kind: type[BaseException], problem: BaseException | None, trace: TracebackType | None) -> None:
    """What ends a process or a thread, as a line: Python's own words would hold those of the exception."""
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    logging.getLogger("app").critical("ended by an exception", exc_info=(kind, problem or kind(), trace))


def _log_exception(exc_info: Any) -> None:
    """Flask's own words would hold the path."""
    logging.getLogger("app").error("a request failed", exc_info=exc_info)
