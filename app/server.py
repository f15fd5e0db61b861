"""What the production server refuses by itself, answered as the program answers: our page, our headers, our log.

A request line that is none, two lengths of one body, headers too long: such requests end in gunicorn and never come
to the program. gunicorn's own answer has none of our headers, and its line in the log quotes what was sent, which may
be the key of a visit. `gunicorn.conf.py` puts this in the place of both.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn import util
from gunicorn.http import errors
from werkzeug.http import http_date

from app.errors import error_answer

_STATUS = {
    errors.LimitRequestLine: 414,
    errors.LimitRequestHeaders: 431,
    errors.ExpectationFailed: 417,
    errors.UnsupportedTransferCoding: 501,
    errors.ForbiddenProxyRequest: 403,
    # What the program would have sent, and cannot be: not the sender's fault.
    errors.InvalidResponseHeader: 500,
    errors.InvalidResponseHeaderName: 500,
    errors.ConfigurationProblem: 500,
}

_NOWHERE = "/-"  # no view is to blame


def refuse_in_our_words(worker: Any) -> None:
    """Let a worker of gunicorn's that has loaded the program refuse as the program does."""
    if isinstance(worker.wsgi, Flask):
        worker.handle_error = _refusing(worker.wsgi, worker.log)


def _refusing(app: Flask, log: Any) -> Callable[[Any, Any, Any, Exception], None]:
    def refuse(req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """In the place of gunicorn's `Worker.handle_error`; the caller closes the connection afterwards."""
        status = _status_of(exc)
        if status != 500:
            log.warning("refused by the server: %s, %s", status, type(exc).__name__)
        with app.test_request_context(_NOWHERE):
            if status == 500:  # with the number that its page tells
                log.error("a request failed in the server", exc_info=exc)
            answer = _whole_answer(app, status)
        try:
            util.write_nonblock(client, answer)
        except OSError as gone:
            log.debug("nobody waited for a refusal: %s", type(gone).__name__)

    return refuse


def _status_of(exc: Exception) -> int:
    """The status for what gunicorn found; 400 for what is wrong with a request in any other way."""
    for kind, status in _STATUS.items():
        if isinstance(exc, kind):
            return status
    return 400 if isinstance(exc, errors.ParseException) else 500


def _whole_answer(app: Flask, status: int) -> bytes:
    """The program's answer for a status as it goes over the line, which is closed then. Within a request's context."""
    answer = app.process_response(error_answer(status))
    answer.headers.extend({"Date": http_date(), "Connection": "close"})
    head = "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
    return f"HTTP/1.1 {answer.status}\r\n{head}\r\n".encode("latin-1") + answer.get_data()
