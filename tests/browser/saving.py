"""Automatic saving, in the browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.caseworker import Caseworker
from tests.browser.conftest import Someone

SAVED = re.compile(r"^Lagret kl\. \d\d\.\d\d$")


SERVERS = pytest.mark.parametrize("server", ["live_server", "live_server_on_postgresql"], ids=["sqlite", "postgresql"])


def is_saved(user: Caseworker) -> None:
    """Check that the line at the top says so."""
    expect(user.page.locator("#tilstand")).to_have_text(SAVED)


def begin(user: Caseworker, someone: Someone, step: str) -> str:
    """Create a participant and go to one of the participant's pages; returns its address."""
    user.create(someone())
    user.stands_at("Bakgrunn")
    if step != "Bakgrunn":
        user.press_step(step)
        user.stands_at(step)
    is_saved(user)
    return user.page.url
