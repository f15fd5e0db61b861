"""Answers: a whole page unless a part is asked for, and the headers that every answer carries."""

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
# Every answer of the program bears it, and what a machine on the way says in its place does not.
PROGRAM_MARK = ("X-Register", "1")
MAX_BODY = 1_000_000
# What a server that stands before the program puts into the environ of a request: the status that it must be refused
# with, and the exception that ended an earlier try to answer it.
FAULT, FAILURE = "register.fault", "register.failure"
END_MARK = "slutt"  # the last field of every form that is posted: a form without it did not come to its end

logger = logging.getLogger(__name__)


class NotWhole(BadRequest):
    """A request that did not arrive whole. Nothing of it counts."""


class WholeRequest(Request):
    """A request whose body was read whole before anything else is asked about it, its user included.

    A line that breaks ends a body as its last byte does, so the server may hand out the beginning of a form as if it
    were all of it. `refuse_unless_whole` holds what came against what was announced.
    """

    def __init__(self, environ: Any, populate_request: bool = True, shallow: bool = False) -> None:
        environ["SCRIPT_NAME"] = ""  # the program stands at the root of its host, whatever a server is told
        super().__init__(environ, populate_request, shallow)
        self._fault = environ.get(FAULT, 0)
        if not shallow:
            self.stream = BytesIO(b"" if self._fault else self._read_body())

    def _read_body(self) -> bytes:
        """The body; b"" if it is too large or cannot be read."""
        said = self.content_length
        if said is None and not self.environ.get("wsgi.input_terminated"):
            return b""  # nobody has said where it would end, so there is none
        if said is not None and said > MAX_BODY:
            self._fault = 413
            return b""
        try:
            body = _read_up_to(self.environ["wsgi.input"], MAX_BODY + 1 if said is None else said)
        except Exception as problem:  # the server's own kinds: chunks without an end or a size, a line that broke
            logger.warning("a body could not be read: %s", type(problem).__name__)
            body, self._fault = b"", 400
        if len(body) > MAX_BODY:
            self._fault = 413
        elif said is not None and len(body) < said:
            self._fault = 400
        return b"" if self._fault else body

    def refuse_unless_whole(self) -> None:
        """The status that is due for a request that cannot be answered; `NotWhole` for one that was cut off."""
        if FAILURE in self.environ:
            raise self.environ[FAILURE]
        if self._fault == 400:
            raise NotWhole
        if self._fault:
            abort(self._fault)


def _read_up_to(stream: Any, length: int) -> bytes:
    """What a stream holds, `length` bytes at most: one that gives less than it was asked for may have more."""
    pieces = []
    while length > 0 and (piece := stream.read(length)):
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


class PublicIdConverter(BaseConverter):
    """A participant's random public id in an address; anything else is no address at all."""

    regex = r"[A-Za-z0-9_-]{16}"


def is_partial() -> bool:
    """True when htmx asks for a fragment that goes into the page on screen."""
    return request.headers.get("HX-Request-Type") == "partial"


def page_number() -> int:
    """Which page of a list the address asks for; 400 for what is no number of a page."""
    said = request.args.get("side", "1")
    if not re.fullmatch("[1-9][0-9]{0,4}", said):
        abort(400)
    return int(said)


def respond(page: str, partial: str | None = None, /, *, status: int = 200, **context: Any) -> Response:
    """The fragment if one is asked for, else the whole page that includes it. A page without a fragment
    never becomes one: whoever asks for a part of it is sent to the page itself.

    A fragment may bring along what stands outside of it: `title` for the page's title, `said` for the
    status line that screen readers read out.
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
    """The address of a view: as `url_for`, which works it out anew each time; a page has a dozen that never change.
    What depends on where it is asked (a name relative to a blueprint, no request at all) is left to `url_for`."""
    is_fixed = not values and endpoint[0] != "." and has_request_context()
    return _fixed_address(current_app.url_map, endpoint) if is_fixed else url_for(endpoint, **values)


@cache
def _fixed_address(addresses: Map, endpoint: str) -> str:
    """Made without the request: what is kept for all must not come from one of them."""
    return addresses.bind("localhost").build(endpoint)


def this_address() -> str:
    """Path and query of the request in plain ASCII, whatever bytes were sent."""
    path, query = quote(request.path), quote(request.query_string, safe="!$&'()*+,/:;=?@%")
    return f"{path}?{query}" if query else path


def tell_page(answer: Response, event: str, **detail: Any) -> None:
    """Let the page on screen hear an event, beside others that the answer tells already."""
    events = json.loads(answer.headers.get("HX-Trigger", "{}"))
    answer.headers["HX-Trigger"] = json.dumps(events | {event: {"target": "body", **detail}})


def redirect_to(address: str) -> Response:
    """Go on to an address: 303 for a page, 204 with HX-Redirect for a fragment."""
    address = iri_to_uri(address)
    if is_partial():
        answer = make_response("", 204)
        answer.headers["HX-Redirect"] = address
        return answer
    answer = make_response("", 303)
    answer.headers["Location"] = address
    return answer


def _is_foreign(origin: str | None) -> bool:
    """True if a request says that it comes from another site. The scheme is the proxy's affair."""
    if origin is None:
        return False
    own = {request.host, urlsplit(current_app.config["SETTINGS"].public_url).netloc}
    try:
        place = urlsplit(origin).netloc
    except ValueError:  # brackets that mean nothing
        return True
    return not place or place not in own


def is_from_own_page() -> bool:
    """True if the browser says that the request comes from a page of ours. One that says nothing may come from
    anywhere, and a page that came over http may be anybody's."""
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin" and not _is_foreign(origin)
    public = urlsplit(current_app.config["SETTINGS"].public_url)
    return origin in {f"{public.scheme}://{public.netloc}", f"{request.scheme}://{request.host}"}


def security_headers(app: Flask) -> dict[str, str]:
    """What every answer of the program carries, its files too."""
    mark = dict([PROGRAM_MARK])
    over_https = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}
    return SECURITY_HEADERS | mark | (over_https if app.config["SESSION_COOKIE_SECURE"] else {})


def init_web(app: Flask) -> None:
    """Refuse addresses that are none and requests that are not whole, and add the headers to every answer of the
    program."""

    app.request_class = WholeRequest

    def _refuse_what_is_not_whole() -> None:
        """Before the guard: who sent it is not asked, and no form is read."""
        cast(WholeRequest, request).refuse_unless_whole()

    app.before_request_funcs.setdefault(None, []).insert(0, _refuse_what_is_not_whole)

    @app.before_request
    def _refuse_foreign_forms() -> None:
        """Browsers say from which site a form is sent. The token protects already; this needs no token to fail."""
        if request.method not in {"GET", "HEAD", "OPTIONS"} and _is_foreign(request.headers.get("Origin")):
            abort(400)

    @app.before_request
    def _refuse_raw_bytes() -> None:
        """Browsers write everything but ASCII as %xx. No address of ours holds a NUL; not every database takes it."""
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
