"""The browser tests' own instruments: the watch notes what should not happen, axe finds what shuts people out."""

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
    "/bred": FRAME.format('<link rel="stylesheet" href="/bred.css">', '<p class="wide">x</p>'),
}
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'"


def serve(route: Route) -> None:
    """Answer from PAGES under the register's kind of content policy."""
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


def test_good_page_is_clean_and_accessible(browser: Browser) -> None:
    with open_page(browser, SITE, size=NARROW) as (page, _watch):
        page.route("**/*", serve)
        page.goto("/god")
        assert_accessible(page)
        assert_no_sideways_scrolling(page)


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
