"""Responses: a whole page unless a fragment is requested, and the headers of every response."""

import json
import logging
import re
from functools import cache
from io import BytesIO
from typing import Any, cast
from urllib.parse import quote, urlsplit

from flask import (
    Flask,
    Request,
    Response,
    abort,
    current_app,
    has_request_context,
    make_response,
    render_template,
    request,
    url_for,
)
from werkzeug.exceptions import BadRequest
from werkzeug.routing import BaseConverter, Map
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response as BaseResponse

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# Every response of the program has it; a machine in between does not.
PROGRAM_MARK = ("X-Register", "1")
MAX_BODY = 1_000_000
# Keys that a server before the program may set in a request's environ: the status to refuse it with, and the exception
# that ended an earlier attempt to answer it.
FAULT, FAILURE = "register.fault", "register.failure"
END_MARK = "slutt"  # the last field of every posted form: a form without it is incomplete

logger = logging.getLogger(__name__)


class NotWhole(BadRequest):
    """A request that did not arrive completely. No part of it is used."""


class WholeRequest(Request):
    """A request whose body was read completely before anything else, such as its user, is examined.

    A broken connection ends a body like its last byte, so the server may deliver the beginning of a form as the whole.
    `refuse_unless_whole` compares the received length with the announced one.
    """

    def __init__(self, environ: Any, populate_request: bool = True, shallow: bool = False) -> None:
        environ["SCRIPT_NAME"] = ""  # the program is at the root of its host, whatever a server is told
        super().__init__(environ, populate_request, shallow)
        self._fault = environ.get(FAULT, 0)
        if not shallow:
            self.stream = BytesIO(b"" if self._fault else self._read_body())

    def _read_body(self) -> bytes:
        """The body; b"" if it is too large or cannot be read."""
        said = self.content_length
        if said is None and not self.environ.get("wsgi.input_terminated"):
            return b""  # no length announced, so there is no body
        if said is not None and said > MAX_BODY:
            self._fault = 413
            return b""
        try:
            body = _read_up_to(self.environ["wsgi.input"], MAX_BODY + 1 if said is None else said)
        except Exception as problem:  # errors of the server: chunks without an end or a size, a broken connection
            logger.warning("a body could not be read: %s", type(problem).__name__)
            body, self._fault = b"", 400
        if len(body) > MAX_BODY:
            self._fault = 413
        elif said is not None and len(body) < said:
            self._fault = 400
        return b"" if self._fault else body

    def refuse_unless_whole(self) -> None:
        """Abort with the status for a request that cannot be answered; `NotWhole` for an incomplete one."""
        if FAILURE in self.environ:
            raise self.environ[FAILURE]
        if self._fault == 400:
            raise NotWhole
        if self._fault:
            abort(self._fault)


def _read_up_to(stream: Any, length: int) -> bytes:
    """Read up to `length` bytes of a stream: one that gives less than requested may have more."""
    pieces = []
    while length > 0 and (piece := stream.read(length)):
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


class PublicIdConverter(BaseConverter):
    """A participant's random public id in an address; anything else is not found."""

    regex = r"[A-Za-z0-9_-]{16}"


def is_partial() -> bool:
    """True if htmx requests a fragment for the page on screen."""
    return request.headers.get("HX-Request-Type") == "partial"


def page_number() -> int:
    """The page number in the address; 400 for an invalid one."""
    said = request.args.get("side", "1")
    if not re.fullmatch("[1-9][0-9]{0,4}", said):
        abort(400)
    return int(said)


def respond(page: str, partial: str | None = None, /, *, status: int = 200, **context: Any) -> Response:
    """The fragment if one is requested, else the whole page that includes it. A page without a fragment redirects
    requests for one to the page itself.

    A fragment may include parts outside of it: `title` for the page's title, `said` for the status line that screen
    readers read out.
    """
    if partial and is_partial():
        html = render_template(partial, **context)
        if title := context.get("title"):
            html = render_template("ui/title.html", title=title) + html
        if said := context.get("said"):
            html += render_template("ui/said.html", said=said)
        return make_response(html, status)
    if is_partial() and request.method == "GET":
        return redirect_to(this_address())
    return make_response(render_template(page, **context), status)


def address_of(endpoint: str, **values: Any) -> str:
    """The address of a view: like `url_for`, but cached, since a page has a dozen that never change. Addresses that
    depend on the request (a name relative to a blueprint, no request at all) are left to `url_for`."""
    is_fixed = not values and endpoint[0] != "." and has_request_context()
    return _fixed_address(current_app.url_map, endpoint) if is_fixed else url_for(endpoint, **values)


@cache
def _fixed_address(addresses: Map, endpoint: str) -> str:
    """Built without the request: a value cached for all must not come from one of them."""
    return addresses.bind("localhost").build(endpoint)


def this_address() -> str:
    """Path and query of the request in plain ASCII, whatever bytes were sent."""
    path, query = quote(request.path), quote(request.query_string, safe="!$&'()*+,/:;=?@%")
    return f"{path}?{query}" if query else path


def tell_page(answer: Response, event: str, **detail: Any) -> None:
    """Trigger an event on the page on screen, beside others of the response."""
    events = json.loads(answer.headers.get("HX-Trigger", "{}"))
    answer.headers["HX-Trigger"] = json.dumps(events | {event: {"target": "body", **detail}})


def redirect_to(address: str) -> Response:
    """Redirect to an address: 303 for a page, 204 with HX-Redirect for a fragment."""
    address = iri_to_uri(address)
    if is_partial():
        answer = make_response("", 204)
        answer.headers["HX-Redirect"] = address
        return answer
    answer = make_response("", 303)
    answer.headers["Location"] = address
    return answer


def _is_foreign(origin: str | None) -> bool:
    """True if a request states that it comes from another site. The scheme is checked by the proxy."""
    if origin is None:
        return False
    own = {request.host, urlsplit(current_app.config["SETTINGS"].public_url).netloc}
    try:
        place = urlsplit(origin).netloc
    except ValueError:  # unbalanced brackets
        return True
    return not place or place not in own


def is_from_own_page() -> bool:
    """True if the browser states that the request comes from a page of ours. One without a statement may come from
    anywhere, and a page over http may be anybody's."""
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin" and not _is_foreign(origin)
    public = urlsplit(current_app.config["SETTINGS"].public_url)
    return origin in {f"{public.scheme}://{public.netloc}", f"{request.scheme}://{request.host}"}


def security_headers(app: Flask) -> dict[str, str]:
    """The security headers of every response of the program, including files."""
    mark = dict([PROGRAM_MARK])
    over_https = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}
    return SECURITY_HEADERS | mark | (over_https if app.config["SESSION_COOKIE_SECURE"] else {})


def init_web(app: Flask) -> None:
    """Refuse invalid addresses and incomplete requests, and add the headers to every response of the program."""

    app.request_class = WholeRequest

    def _refuse_incomplete() -> None:
        """Refuse incomplete requests before the guard: without reading the user or a form."""
        cast(WholeRequest, request).refuse_unless_whole()

    app.before_request_funcs.setdefault(None, []).insert(0, _refuse_incomplete)

    @app.before_request
    def _refuse_foreign_forms() -> None:
        """Refuse forms that browsers report to be from another site. The token protects already; this works even if the
        token fails."""
        if request.method not in {"GET", "HEAD", "OPTIONS"} and _is_foreign(request.headers.get("Origin")):
            abort(400)

    @app.before_request
    def _refuse_raw_bytes() -> None:
        """Refuse raw bytes in addresses: browsers write everything but ASCII as %xx. No address of ours contains a NUL;
        not every database accepts it."""
        if not request.query_string.isascii() or b"%00" in request.query_string:
            abort(400)

    headers = {
        **security_headers(app),
        "Cache-Control": "no-store",
        "Vary": "HX-Request, HX-Request-Type",
        "X-Register": "1",
    }

    @app.after_request
    def _headers(answer: BaseResponse) -> BaseResponse:
        answer.headers.extend(headers)
        return answer
