"""The test client: sends requests as a browser or as htmx does, and checks every response."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit
from xml.etree.ElementTree import Element

from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from app.web.responses import END_MARK, PROGRAM_MARK, SECURITY_HEADERS
from tests.support.forms import Form, Value, find_form
from tests.support.html_addresses import holds_national_id
from tests.support.html_checks import check_html
from tests.support.html_tree import HtmlTree

PARTIAL_HEADER = "HX-Request-Type"
VARIES_BY = frozenset({"hx-request", "hx-request-type"})
_PATH_HEADERS = ("Location", "HX-Redirect", "HX-Location", "HX-Push-Url", "HX-Replace-Url")


def htmx_headers(*, source: str = "a", target: str | None = None, page: str = "/") -> dict[str, str]:
    """The headers of htmx 4.0.1 for a fragment.

    `source`, `target`: elements as htmx names them, «tag» or «tag#id». `page`: the page that the user is on.
    """
    headers = {
        "HX-Request": "true",
        "HX-Source": source,
        "HX-Current-URL": f"http://localhost{page}",
        "Accept": "text/html",
        PARTIAL_HEADER: "partial",
    }
    return headers | ({"HX-Target": target} if target else {})


def tree_of(answer: TestResponse) -> HtmlTree:
    """The response as a tree; the one of its check if parsed in the same way."""
    source = answer.get_data(as_text=True)
    is_page = source.lstrip().lower().startswith("<!doctype")
    checked: HtmlTree | None = getattr(answer, "checked_tree", None)
    if checked and checked.is_page == is_page and checked.source == source:
        return checked
    return HtmlTree(source, is_page=is_page)


def with_end(fields: Mapping[str, Any], *, whole: bool = True) -> MultiDict[str, Any]:
    """The fields of a form with the end mark last; without it if not `whole`."""
    ended: MultiDict[str, Any] = MultiDict(fields)
    ended.poplist(END_MARK)
    if whole:
        ended.add(END_MARK, "1")
    return ended


def form_in(answer: TestResponse, *, button: str | None = None, form: str | None = None) -> Form:
    """A form of the response: by its button, its id, or the only one of the main part."""
    return find_form(tree_of(answer), button=button, form=form)


def text_of(answer: TestResponse) -> str:
    """All text of the response, as read aloud."""
    tree = tree_of(answer)
    body = next(tree.elements("body"), tree.root)
    return tree.text(body)


class CheckedClient(FlaskClient):
    """A client without a screen. Every response is checked, including redirects."""

    page_address: str = "/"  # the page that the user is on, sent by htmx

    def open(self, *args: Any, whole: bool = True, **kwargs: Any) -> TestResponse:
        """As werkzeug's; checks the response. A form given as names and values gets the end mark; `whole=False`:
        without it."""
        if isinstance(kwargs.get("data"), Mapping):
            kwargs["data"] = with_end(kwargs["data"], whole=whole)
        answer: TestResponse = super().open(*args, **kwargs)
        for one in (*answer.history, answer):
            self._check(one)
        is_html = answer.mimetype == "text/html"
        if is_html and not _is_partial(answer) and answer.request.method == "GET":
            self.page_address = _address(answer)
        return answer

    def get_partial(self, url: str, *, source: str = "a", target: str | None = None, **kwargs: Any) -> TestResponse:
        """GET as by htmx for a fragment."""
        headers = htmx_headers(source=source, target=target, page=self.page_address)
        return self.get(url, headers=headers, **kwargs)

    def post_partial(
        self,
        url: str,
        data: Mapping[str, Any] | MultiDict[str, str],
        *,
        source: str = "form",
        target: str | None = None,
        whole: bool = True,
    ) -> TestResponse:
        """POST as by htmx for a fragment. `data` must contain the csrf_token."""
        headers = htmx_headers(source=source, target=target, page=self.page_address)
        return self.post(url, data=data, headers=headers, whole=whole)

    def login(self, username: str, password: str = "demo-passord-2026") -> TestResponse:
        """Sign in through the real form; returns the page after it."""
        answer = self.submit(
            self.get("/logg-inn"),
            button="Logg inn",
            fill={"Brukernavn": username, "Passord": password},
            follow_redirects=True,
        )
        assert answer.request.path != "/logg-inn", f"{username} was not let in: {text_of(answer)[:400]}"
        return answer

    def logout(self) -> TestResponse:
        """Sign out by the button in the page header."""
        return self.submit(self.get("/", follow_redirects=True), button="Logg ut", follow_redirects=True)

    def submit(
        self,
        page: TestResponse | Form,
        *,
        button: str | None = None,
        form: str | None = None,
        fill: Mapping[str, Value] | None = None,
        extra: Mapping[str, str | list[str]] | None = None,
        partial: bool = False,
        follow_redirects: bool = False,
        **changes: Value,
    ) -> TestResponse:
        """Fill in a form of the page and send it.

        `button`: the name of the button to press; by default the form's default one (Enter in a field). `form`: the
        form's id, if the button is ambiguous. `fill`, `changes`: values by label or by name, as for `Form.fill`: only
        possible user input. `extra`: names and values sent as they are, instead of the form's own of the same name (a
        manipulated form; [] leaves the name out). `partial`: send it as by htmx. Relative addresses are the page's.
        """
        found = page if isinstance(page, Form) else form_in(page, button=button, form=form)
        found.fill({**(fill or {}), **changes})
        pressed = found.button(button) if button is not None else found.default_button()
        pairs = [pair for pair in found.pairs(pressed) if pair[0] not in (extra or {})]
        for name, value in (extra or {}).items():
            pairs += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        method, address = found.target(pressed)
        if isinstance(page, TestResponse):
            address = urljoin(_address(page), address)
        if method == "GET":
            address = address.partition("?")[0]
        headers = {}
        if partial:
            headers = htmx_headers(source=_named(found.element), page=self.page_address)
        what: dict[str, Any] = {"query_string" if method == "GET" else "data": MultiDict(pairs)}
        return self.open(address, method=method, headers=headers, follow_redirects=follow_redirects, **what)

    def follow(self, page: TestResponse, link: str, **kwargs: Any) -> TestResponse:
        """Follow the link with this name."""
        tree = tree_of(page)
        links = {tree.accessible_name(one): one.attrib["href"] for one in tree.elements("a") if "href" in one.attrib}
        assert link in links, f"no link «{link}»; there are {sorted(links)}"
        return self.get(links[link], **kwargs)

    def _check(self, answer: TestResponse) -> None:
        if getattr(answer, "was_checked", False):
            return
        answer.was_checked = True  # type: ignore[attr-defined]
        asked = f"{answer.request.method} {_address(answer)} → {answer.status}"
        faults = [*_header_faults(answer), *self._security_faults(answer)]
        assert not faults, f"{asked}:\n- " + "\n- ".join(faults)
        if answer.mimetype != "text/html" or 300 <= answer.status_code < 400 or not answer.get_data():
            return
        adapter = self.application.url_map.bind("localhost")
        answer.checked_tree = check_html(  # type: ignore[attr-defined]
            answer.get_data(as_text=True),
            is_page=not _is_partial(answer),
            url_adapter=adapter,
            address=_address(answer),
            asset_exists=self._asset_exists,
            providers=self._providers(),
        )

    def _providers(self) -> frozenset[str]:
        settings = self.application.config.get("SETTINGS")  # not every program here is the register
        return frozenset(one.issuer for one in settings.providers) if settings else frozenset()

    def _security_faults(self, answer: TestResponse) -> list[str]:
        return [
            f"header {name} is {answer.headers.get(name)!r}, but must be {value!r} (app.web.SECURITY_HEADERS)"
            for name, value in SECURITY_HEADERS.items()
            if answer.headers.get_all(name) != [value]
        ]

    def _asset_exists(self, path: str) -> bool:
        """True if the whole program (with its static files) serves the address; requested once for each."""
        known: dict[str, bool] = self.application.extensions.setdefault("tests.assets", {})
        if path not in known:
            client = FlaskClient(self.application, use_cookies=False)
            with client.get(path) as answer:
                known[path] = answer.status_code == 200
        return known[path]


def _is_partial(answer: TestResponse) -> bool:
    return answer.request.headers.get(PARTIAL_HEADER) == "partial"


def _address(answer: TestResponse) -> str:
    parts = urlsplit(answer.request.url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _named(element: Element) -> str:
    """An element's name in HX-Source."""
    name = element.attrib.get("id")
    return f"{element.tag}#{name}" if name else str(element.tag)


def _header_faults(answer: TestResponse) -> list[str]:
    """Faults in the headers that every response must have."""
    headers, faults = answer.headers, []
    name, value = PROGRAM_MARK
    if headers.get_all(name) != [value]:
        faults.append(f"{name} is {headers.get_all(name)}, but must be «{value}»: the program's mark")
    is_static = answer.request.path.startswith("/static/") and answer.status_code in {200, 304}
    if not is_static and headers.get("Cache-Control") != "no-store":
        faults.append(f"Cache-Control is {headers.get('Cache-Control')!r}, but must be 'no-store'")
    varies = {word.strip().lower() for word in ",".join(headers.get_all("Vary")).split(",")}
    if not is_static and VARIES_BY - varies:
        faults.append(f"Vary is {sorted(varies)}, but must name HX-Request and HX-Request-Type")
    for name in ("Server", "X-Powered-By"):
        if re.search(r"\d", headers.get(name, "")):
            faults.append(f"{name} tells a version: {headers[name]}")
    for name in _PATH_HEADERS:
        if holds_national_id(headers.get(name, "")):
            faults.append(f"{name} holds 11 digits; no fødselsnummer in an address")
    for cookie in headers.get_all("Set-Cookie"):
        words = {word.strip().lower() for word in cookie.split(";")}
        is_guarded = "httponly" in words and words & {"samesite=lax", "samesite=strict"}
        if not is_guarded and "max-age=0" not in words:
            faults.append(f"cookie {cookie.partition('=')[0]} needs HttpOnly and SameSite=Lax")
    return faults


def query_of(address: str) -> dict[str, str]:
    """The query of an address as a dictionary (last value wins)."""
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
