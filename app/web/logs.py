"""The technical log: one JSON object on each line, without personal data.

It records errors and their places in our own code. Users' input is not in it: no query string, no form, no path, and of
an exception the class and the lines of the program that it passed, but not its text, which may contain anything. Users'
actions are recorded in the access log (`services.access.audit`).
"""

import json
import logging
import re
import secrets
import sys
import threading
import traceback
import warnings
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from flask import Flask, g, has_request_context, request

_NUMBER = re.compile(r"(?<!\d)\d{6}\s?\d{5}(?!\d)")
# Anchored at the beginning of a word: a long word without a match is not tried again from each of its letters.
_MAIL = re.compile(r"(?<![^\s@<>\"'])[^\s@<>\"']+@[^\s@<>\"']+")
_QUERY = re.compile(r"\?[^\s\"']+")
# A server's own log of requests contains paths and query strings; none of our loggers is meant.
_ACCESS = re.compile(r"^(?!app\b|services\b).*access")


def request_id() -> str:
    """The id of the current request in the log, and on the error page."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(6)
    return str(g.request_id)


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON: line breaks and the like are escaped, so that no line can be forged."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_personal_data(_message(record)),
        }
        if has_request_context():
            user = g.get("viewer")
            line |= {"request": request_id(), "method": request.method, "view": request.endpoint}
            line |= {"user": user.user_id} if user else {}
        if record.exc_info and record.exc_info[0]:
            line |= {"exception": record.exc_info[0].__name__, "stack": _stack(record.exc_info[2])}
        return json.dumps(line, ensure_ascii=True)


def _message(record: logging.LogRecord) -> str:
    """The message, or its template if the arguments do not fit: `logging` would print them all."""
    try:
        return record.getMessage()
    except Exception:  # an argument may fail in any way when it is converted to text
        return str(record.msg) if isinstance(record.msg, str) else type(record.msg).__name__


def without_personal_data(text: str) -> str:
    """A message with marks in place of national identity numbers, e-mail addresses and query strings."""
    return _QUERY.sub("?<query>", _MAIL.sub("<e-mail>", _NUMBER.sub("<number>", text)))


def _stack(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def init_logs(app: Flask) -> None:
    """Make everything that this process logs JSON lines, on standard error unless configured otherwise. In tests pytest
    handles logs.

    Formatters can be set, and handlers added, at any later time. So instead of these, this changes what all handlers,
    of any class and time, call for a record.
    """
    app.log_exception = _log_exception  # type: ignore[method-assign]
    app.jinja_env.globals["request_id"] = request_id
    if app.testing:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.getLogger().handlers = [handler]
    app.logger.handlers = []
    logging.Handler.format = _format  # type: ignore[method-assign,assignment]
    logging.Handler.handle = _handle  # type: ignore[method-assign,assignment]
    logging.raiseExceptions = False  # otherwise a line that cannot be written is printed, with all its data
    warnings.showwarning = _log_warning
    sys.excepthook = _log_end
    threading.excepthook = lambda ended: _log_end(ended.exc_type, ended.exc_value, ended.exc_traceback)
    sys.unraisablehook = lambda ended: _log_end(ended.exc_type, ended.exc_value, ended.exc_traceback)


_LINES = JsonLines()
_standard_handle = logging.Handler.handle


def _format(_handler: logging.Handler, record: logging.LogRecord) -> str:
    return _LINES.format(record)


def _handle(handler: logging.Handler, record: logging.LogRecord) -> Any:
    return False if _ACCESS.search(record.name) else _standard_handle(handler, record)


def _log_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
) -> None:
    """Log a warning of Python's, also if `logging` was told to leave warnings alone."""
    logging.getLogger("py.warnings").warning("%s:%s: %s: %s", filename, lineno, category.__name__, message)


def _log_end(kind: type[BaseException], problem: BaseException | None, trace: TracebackType | None) -> None:
    """Log the exception that ends a process or a thread, without its text, which Python would print."""
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    logging.getLogger("app").critical("ended by an exception", exc_info=(kind, problem or kind(), trace))


def _log_exception(exc_info: Any) -> None:
    """Log a failed request without its path, which Flask would add."""
    logging.getLogger("app").error("a request failed", exc_info=exc_info)
