"""A connection on which responses take as long as a test wants."""

from playwright.sync_api import Page, Route


class SlowLine:
    """Holds requests to an address until the newest is released; the browser aborts the older ones."""

    def __init__(self, page: Page, address: str) -> None:
        self._page = page
        self._held: list[Route] = []
        page.route(address, lambda route: self._held.append(route))

    @property
    def number(self) -> int:
        """The number of requests so far."""
        return len(self._held)

    def wait_for(self, number: int) -> None:
        """Wait until so many requests have been sent in all. Raises AssertionError if they do not come."""
        tries = 1000
        while len(self._held) < number:
            assert tries, f"{len(self._held)} of {number} requests have come"
            tries -= 1
            self._page.wait_for_timeout(20)

    def let_go(self) -> None:
        """Send the newest and wait for its response."""
        newest = self._held[-1]
        with self._page.expect_request_finished(lambda request: request == newest.request):
            newest.continue_()

    def let_begin(self) -> None:
        """Send the newest and wait until its response begins: the page may not have read it yet."""
        newest = self._held[-1]
        with self._page.expect_response(lambda answer: answer.request == newest.request):
            newest.continue_()
