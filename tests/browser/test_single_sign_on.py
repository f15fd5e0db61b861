"""Single sign-on in Chromium, with an identity provider that shares no code with the program."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from services.demo import PASSWORD
from tests.browser.caseworker import Caseworker
from tests.browser.conftest import AtScreen, Someone
from tests.support.browser import assert_accessible
from tests.support.databases import SQLITE, Databases
from tests.support.providers import IndependentProvider, independent_provider
from tests.support.server import LiveServer, running_server


@pytest.fixture(scope="module")
def provider() -> Iterator[IndependentProvider]:
    with independent_provider() as running:
        yield running


@pytest.fixture(scope="module")
def joined_server(
    databases: Databases, settings: dict[str, str], provider: IndependentProvider
) -> Iterator[LiveServer]:
    """The program, registered with the provider."""
    address = databases.filled(SQLITE, 0)
    with running_server({**settings, **provider.settings(), "DATABASE_URL": address}) as running:
        provider.know(running.base_url)
        yield running
    databases.remove(address)


JOINED: dict[str, Any] = {"server": "joined_server", "ignore_https_errors": True}


def say_who(user: Caseworker, who: str) -> None:
    """Sign in on the provider's page."""
    expect(user.page.get_by_role("heading", name="Leverandøren")).to_be_visible()
    user.page.get_by_label("Hvem er du?").fill(who)
    user.page.get_by_role("button", name="Bekreft").click()


def tie(user: Caseworker, who: str) -> None:
    """Connect an identity, from «Min bruker» to the provider and back."""
    user.page.goto("/min-bruker")
    if user.page.get_by_text("Du kan logge inn med Ansattporten.").count():
        return
    user.page.get_by_label("Passordet ditt", exact=True).fill(PASSWORD)
    if user.scripts:
        assert_accessible(user.page)
    user.press("Koble til Ansattporten")
    say_who(user, who)
    expect(user.page.get_by_text("Du kan nå logge inn med Ansattporten.")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "without-javascript"])
def test_in_and_out(at_screen: AtScreen, provider: IndependentProvider, javascript: bool) -> None:
    """Connected with the password, then in without it, out at both, and out by the provider's own page."""
    with at_screen("kari.oslo", **JOINED, javascript=javascript) as (
        kari,
        _watch,
    ):
        tie(kari, "kari")
        kari.press("Logg ut")
        kari.stands_at("Logg inn")  # signed in by password, so there is no session at the provider
        if javascript:
            assert_accessible(kari.page)
        kari.page.get_by_role("link", name="Logg inn med Ansattporten").click()
        say_who(kari, "kari")
        kari.stands_at("Deltakeroversikt")
        kari.press("Logg ut")
        kari.stands_at("Du er logget ut")
        expect(kari.page.get_by_role("link", name="Logg inn igjen")).to_be_visible()
        expect(kari.page).to_have_url(re.compile(r"/logget-ut\?state="))  # redirected back by the provider
        kari.page.get_by_role("link", name="Logg inn igjen").click()
        kari.page.get_by_role("link", name="Logg inn med Ansattporten").click()
        say_who(kari, "kari")
        kari.stands_at("Deltakeroversikt")


def test_whoever_the_register_does_not_know(at_screen: AtScreen) -> None:
    with at_screen(**JOINED) as (nobody, watch):
        watch.expect_status(403)
        nobody.page.goto("/logg-inn")
        nobody.page.get_by_role("link", name="Logg inn med Ansattporten").click()
        say_who(nobody, "en fremmed")
        nobody.stands_at("Du har ikke tilgang med Ansattporten")
        assert_accessible(nobody.page)


def test_signing_out_at_the_provider(at_screen: AtScreen, provider: IndependentProvider, browser: Browser) -> None:
    """Its page notifies the register in a frame."""
    with at_screen("anne.tokommuner", **JOINED) as (anne, _watch):
        tie(anne, "anne")
        anne.press("Logg ut")
        anne.page.get_by_role("link", name="Logg inn med Ansattporten").click()
        say_who(anne, "anne")
        anne.stands_at("Deltakeroversikt")
        elsewhere = browser.new_context(ignore_https_errors=True)  # without the user's cookies
        page = elsewhere.new_page()
        # Our response may not be shown in a frame, but the request has arrived.
        with page.expect_event("requestfailed", lambda request: "/logg-ut/med/" in request.url):
            page.goto(f"{provider.issuer}/signout/anne")
        elsewhere.close()
        anne.page.reload()
        anne.stands_at("Logg inn")


def test_again_in_another_tab_while_she_types(at_screen: AtScreen, someone: Someone) -> None:
    """The session ends; the user signs in by the provider in a tab of its own, and the typed values are sent."""
    with at_screen("berit.bergen", **JOINED) as (berit, _watch):
        tie(berit, "berit")
        berit.go("Deltakere")
        berit.create(someone())
        address = berit.page.url
        berit.page.context.clear_cookies()
        berit.answer("Rekrutteringskanal", "Nav")
        dialog = berit.page.get_by_role("dialog")
        with berit.page.context.expect_page() as opened:
            dialog.get_by_role("link", name="Logg inn med Ansattporten (åpnes i ny fane)").click()
        tab = Caseworker(opened.value)
        say_who(tab, "berit")
        tab.stands_at("Du er logget inn")
        assert_accessible(tab.page)
        tab.page.close()
        dialog.get_by_role("button", name="Jeg har logget inn i den andre fanen").click()
        expect(dialog).to_be_hidden()
        expect(berit.page.locator("#tilstand")).to_contain_text("Lagret kl.")
        berit.page.goto(address)
        expect(berit.field("Rekrutteringskanal")).to_have_value("nav")
