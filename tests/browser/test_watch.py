"""The browser tests' own instruments: the watch records faults, axe finds barriers."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Route

from tests.support.browser import NARROW, assert_accessible, assert_no_sideways_scrolling, open_page

SITE = "http://127.0.0.1:9"
FRAME = (
    '<!doctype html><html lang="nb"><head><title>Hei</title>{}</head><body><main><h1>Hei</h1>{}</main></body></html>'
)
PAGES = {
    "/god": FRAME.format("", '<label for="a">Navn</label><input id="a">'),
    "/stil": FRAME.format("", '<p style="color:red">x</p>'),
    "/skript": FRAME.format("", "<script>1</script>"),
    "/konsoll": FRAME.format('<script src="/feil.js"></script>', ""),
    "/ute": FRAME.format("", '<img alt="" src="http://example.org/x.png">'),
    "/mangler": FRAME.format('<link rel="stylesheet" href="/borte.css">', ""),
    "/utilgjengelig": FRAME.format("", "<input>"),
    "/form": FRAME.format("", '<form method="post" action="/god"><button name="slutt" value="1">Send</button></form>'),
    "/slutt": FRAME.format(
        "",
        '<form method="post" action="/god"><button name="go" value="1">Send</button>'
        '<input type="hidden" name="slutt" value="1"></form>',
    ),
    "/bred": FRAME.format('<link rel="stylesheet" href="/bred.css">', '<p class="wide">x</p>'),
}
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'"


def serve(route: Route) -> None:
    """Respond from PAGES under the register's kind of content policy."""
    path = route.request.url.removeprefix(SITE).partition("?")[0]
    others = {"/feil.js": ("text/javascript", "throw new Error('au')"), "/bred.css": ("text/css", ".wide{width:999px}")}
    kind, body = others.get(path, ("text/html; charset=utf-8", PAGES.get(path, "")))
    headers = {"Content-Type": kind, "Content-Security-Policy": POLICY}
    route.fulfill(status=200 if body else 404, headers=headers, body=body)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/stil", "Content Security Policy"),
        ("/skript", "Content Security Policy"),
        ("/konsoll", "script error: au"),
        ("/ute", "request to the outside"),
        ("/mangler", "answered 404"),
        ("/god?q=30908299902", "11 digits"),
    ],
)
def test_watch_notes(browser: Browser, path: str, said: str) -> None:
    def look() -> None:
        with open_page(browser, SITE) as (page, _watch):
            page.route("**/*", serve)
            page.goto(path)

    with pytest.raises(AssertionError, match=said):
        look()


def test_watch_notes_a_form_that_does_not_send_its_end(browser: Browser) -> None:
    def press(path: str) -> None:
        with open_page(browser, SITE) as (page, _watch):
            page.route("**/*", serve)
            page.goto(path)
            page.get_by_role("button", name="Send").click()
            page.wait_for_url("**/god")

    press("/slutt")
    with pytest.raises(AssertionError, match="POST /god does not end with slutt=1"):
        press("/form")


def test_good_page_is_clean_and_accessible(browser: Browser) -> None:
    with open_page(browser, SITE, size=NARROW) as (page, _watch):
        page.route("**/*", serve)
        page.goto("/god")
        assert_accessible(page)
        assert_no_sideways_scrolling(page)


class _Hesitating(BaseHTTPRequestHandler):
    """A server that sends the head of a response, and its page only half a second later."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.flush()
        if self.path != "/":
            time.sleep(0.5)
        link = '<a href="/etter">Videre</a>' if self.path == "/" else "<input>"
        self.wfile.write(FRAME.format('<link rel="icon" href="data:,">', link).encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def _hesitating_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hesitating) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_axe_waits_for_the_page_that_a_link_leads_to(browser: Browser) -> None:
    with _hesitating_server() as address, open_page(browser, address) as (page, _watch):
        page.goto("/")
        page.get_by_role("link", name="Videre").click()
        with pytest.raises(AssertionError, match=r"axe on /etter(.|\n)*label \(critical\)"):
            assert_accessible(page)


def test_axe_and_width_find_faults(browser: Browser) -> None:
    with open_page(browser, SITE, size=NARROW) as (page, _watch):
        page.route("**/*", serve)
        page.goto("/utilgjengelig")
        with pytest.raises(AssertionError, match=r"label \(critical\)"):
            assert_accessible(page)
        page.goto("/bred")
        with pytest.raises(AssertionError, match="scrolls sideways"):
            assert_no_sideways_scrolling(page)


def test_without_scripts_nothing_runs(browser: Browser) -> None:
    with open_page(browser, SITE, javascript=False) as (page, _watch):
        page.route("**/*", serve)
        page.goto("/konsoll")
        with pytest.raises(AssertionError, match="needs a page with JavaScript"):
            assert_accessible(page)
