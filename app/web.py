"""Answers: a whole page unless a part is asked for, and the headers that every answer carries."""

from functools import cache
from typing import Any
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
from werkzeug.routing import BaseConverter
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
MAX_BODY = 1_000_000


class WholeRequest(Request):
    """A request whose form is whole: one of unknown length that goes on where reading ends is refused (413), as one
    that says beforehand that it is too long. Werkzeug would cut it off and go on."""

    def _load_form_data(self) -> None:
        super()._load_form_data()
        is_of_unknown_length = self.content_length is None and self.environ.get("wsgi.input_terminated")
        if is_of_unknown_length and self.environ["wsgi.input"].read(1):
            abort(413)


class PublicIdConverter(BaseConverter):
    """A participant's random public id in an address; anything else is no address at all."""

    regex = r"[A-Za-z0-9_-]{16}"


def is_partial() -> bool:
    """True when htmx asks for a fragment that goes into the page on screen."""
    return request.headers.get("HX-Request-Type") == "partial"


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
    return _fixed_address(endpoint) if is_fixed else url_for(endpoint, **values)


@cache
def _fixed_address(endpoint: str) -> str:
    return url_for(endpoint)


def this_address() -> str:
    """Path and query of the request in plain ASCII, whatever bytes were sent."""
    path, query = quote(request.path), quote(request.query_string, safe="!$&'()*+,/:;=?@%")
    return f"{path}?{query}" if query else path


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


def security_headers(app: Flask) -> dict[str, str]:
    """What every answer of the program carries, its files too."""
    over_https = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}
    return SECURITY_HEADERS | (over_https if app.config["SESSION_COOKIE_SECURE"] else {})


def init_web(app: Flask) -> None:
    """Refuse addresses that are none, and add the headers to every answer of the program."""

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
