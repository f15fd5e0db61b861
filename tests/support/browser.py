"""A real browser for the tests: launched, watched for faults, and checked by axe."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

from app.web.responses import END_MARK
from tests.support.chromium import chromium
from tests.support.html_addresses import holds_national_id

WIDE = (1280, 900)
NARROW = (320, 640)
PATIENCE_MS = 20_000  # how long an action may wait on slow cores; a limit, never a pause
expect.set_options(timeout=PATIENCE_MS)  # a limit for slow machines, not a measure

_AXE = Path(__file__).with_name("vendor") / "axe.min.js"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
# Responses with a form and its errors, or an error page: no fault of the page.
_ANSWERED_STATUSES = frozenset({400, 401, 403, 404, 409, 422, 429})
_DOCUMENT_KINDS = frozenset({"document", "fetch", "xhr"})
_FLAGS = (
    # Needed as root and in containers; only the register's own pages are visited.
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Blocks outside addresses even if a page requests one; Watch reports the request.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
_WITHOUT_SCRIPTS: WeakSet[BrowserContext] = WeakSet()


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Run Chromium, headless."""
    program = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watch:
    """Records faults of a page, for `assert_clean` at the end of the test. `base_url`: the program's."""

    base_url: str = ""
    faults: list[str] = field(default_factory=list)
    _expected: set[int] = field(default_factory=set)
    _expects_lost_line: bool = False

    def expect_status(self, *statuses: int) -> None:
        """Accept responses with these statuses (for example 5xx), which the test provokes."""
        self._expected.update(statuses)

    def expect_lost_line(self) -> None:
        """Accept failed requests, since the test cuts the connection."""
        self._expects_lost_line = True

    def attach(self, page: Page) -> None:
        """Watch this page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        page.on("request", self._request)
        page.on("response", self._response)
        page.on("requestfailed", self._failed)

    def assert_clean(self) -> None:
        """Raise AssertionError with all recorded faults."""
        assert not self.faults, "the browser noted:\n- " + "\n- ".join(self.faults)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        if message.text.startswith("Failed to load resource"):
            return  # checked by its status in _response and _failed
        if self._expects_lost_line and ("Failed to fetch" in message.text or "htmx:error: timeout" in message.text):
            return  # htmx reports it too
        where = message.location.get("url", "")
        self.faults.append(f"console {message.type}: {message.text} ({where})")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname not in _LOOPBACK:
            self.faults.append(f"request to the outside: {request.url}; serve it from the register")
        if holds_national_id(request.url):
            self.faults.append(f"11 digits in an address: {request.method} {parts.path}; post them instead")
        if request.method == "POST" and self.base_url and request.url.startswith(self.base_url):
            sent = request.post_data  # None if the browser does not report it, as when a page is left
            if sent is not None and not sent.endswith(f"&{END_MARK}=1"):
                self.faults.append(f"POST {parts.path} does not end with {END_MARK}=1, so a cut may go unseen")

    def _response(self, response: Response) -> None:
        status = response.status
        if status < 400 or status in self._expected:
            return
        if status in _ANSWERED_STATUSES and response.request.resource_type in _DOCUMENT_KINDS:
            return
        self.faults.append(f"{response.request.method} {response.url} answered {status}")

    def _failed(self, request: Request) -> None:
        # A request that a newer one replaces, or that a new page ends, is aborted: no fault.
        if self._expects_lost_line or request.failure == "net::ERR_ABORTED":
            return
        self.faults.append(f"{request.method} {request.url} failed: {request.failure}")


@contextmanager
def open_page(
    browser: Browser,
    base_url: str,
    *,
    javascript: bool = True,
    size: tuple[int, int] = WIDE,
    **options: Any,
) -> Iterator[tuple[Page, Watch]]:
    """A page in a fresh context (no cookies), Norwegian, at `base_url`; the watch is checked at the end.

    `options`: more for Playwright's `new_context`, such as color_scheme="dark" or forced_colors="active".
    """
    context: BrowserContext = browser.new_context(
        base_url=base_url,
        java_script_enabled=javascript,
        viewport={"width": size[0], "height": size[1]},
        locale="nb-NO",
        timezone_id="Europe/Oslo",
        accept_downloads=True,
        **options,
    )
    context.set_default_timeout(PATIENCE_MS)
    if not javascript:
        _WITHOUT_SCRIPTS.add(context)
    watch = Watch(base_url)
    context.on("page", watch.attach)
    try:
        yield context.new_page(), watch
    finally:
        context.close()
    watch.assert_clean()


@cache
def _axe_source() -> str:
    return _AXE.read_text(encoding="utf-8")


def assert_accessible(page: Page, *, selector: str | None = None, rules: Sequence[str] | None = None) -> None:
    """Check the page (or the part of it) with axe; AssertionError lists each finding with its remedy.

    `rules`: only these; default is all that axe enables. Only with scripts: axe waits for them. The page without
    scripts is the same.
    """
    assert page.context not in _WITHOUT_SCRIPTS, "axe needs a page with JavaScript"
    page.wait_for_load_state()  # after a click a page may have begun, still without its document
    if not page.evaluate("typeof window.axe === 'object'"):
        # The content policy forbids foreign script elements, but not evaluation from outside.
        page.evaluate(_axe_source())
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    answer = page.evaluate("([part, options]) => axe.run(part ?? document, options)", [selector, options])
    findings = [_finding(one) for one in answer["violations"]]
    assert not findings, f"axe on {urlsplit(page.url).path}: {len(findings)} findings\n" + "\n".join(findings)


def _finding(violation: dict[str, Any]) -> str:
    lines = [f"- {violation['id']} ({violation['impact']}): {violation['help']}"]
    for node in violation["nodes"]:
        where = " ".join(json.dumps(one, ensure_ascii=False) for one in node["target"])
        lines.append(f"    {where}: {node['html'][:200]}")
        lines.extend(f"      {line}" for line in node["failureSummary"].splitlines())
    return "\n".join(lines)


def assert_no_sideways_scrolling(page: Page) -> None:
    """Check that nothing is wider than the window; AssertionError names the widest elements."""
    culprits = page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          return [...document.querySelectorAll('body *')]
            .filter(one => one.getBoundingClientRect().right > width + 0.5)
            .map(one => one.outerHTML.slice(0, 120)).slice(0, 5);
        }"""
    )
    assert not culprits, f"{urlsplit(page.url).path} scrolls sideways; too wide:\n" + "\n".join(culprits)
