"""README and the index of decisions are true and complete."""

import re

import pytest
from flask import Flask
from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect

from tests.support.server import ROOT

README = (ROOT / "README.md").read_text("utf-8")
DECISIONS = ROOT / "docs" / "decisions"
# Parts of names, after `OIDC_<NAME>_`.
OF_A_PROVIDER = {"ISSUER", "CLIENT_ID", "CLIENT_SECRET", "KEY_FILE", "KEY_ID", "ACR", "LABEL"}
NO_SETTINGS = {"FLASK_DEBUG"}  # Flask's own, which is only read
# Of other programs, and of development alone.
NO_ADDRESSES = {"/token", "/folkeregisteret/…", "/utvikling/e-post"}


def settings_of_the_program() -> set[str]:
    """All names that the modules of the settings read from the environment."""
    sources = [
        (ROOT / "app" / "settings" / f"{name}.py").read_text("utf-8") for name in ("config", "checks", "providers")
    ]
    return set(re.findall(r'"([A-Z][A-Z]*(?:_[A-Z]+)*)"', "\n".join(sources))) - NO_SETTINGS - OF_A_PROVIDER


def settings_in_the_table() -> set[str]:
    rows = re.findall(r"^\| (`[A-Z].*?) \|", README, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    return {name for name in named if not name.startswith("OIDC_<")}


def test_every_setting_stands_in_the_table_and_no_other() -> None:
    assert settings_in_the_table() == settings_of_the_program()


def test_every_setting_of_a_provider_stands_in_the_table() -> None:
    assert set(re.findall(r"`OIDC_<NAME>_([A-Z_]+)`", README)) == OF_A_PROVIDER


def test_every_command_exists(app: Flask) -> None:
    named = re.findall(r"flask --app wsgi ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", README)
    assert len(named) > 5
    for first, second in named:
        command = app.cli.commands.get(first)
        assert command is not None, first
        if (members := getattr(command, "commands", None)) is not None and second:
            assert second in members, f"{first} {second}"


def test_every_goal_of_make_exists() -> None:
    goals = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", README))
    assert len(named) > 5
    assert named <= goals


def test_every_address_exists(app: Flask) -> None:
    named = set(re.findall(r"`(/[a-zæøå/…-]+)`", README)) - NO_ADDRESSES
    assert named
    adapter = app.url_map.bind("localhost")
    for address in named:
        try:
            adapter.match(address)
        except RequestRedirect:
            pass
        except NotFound:
            pytest.fail(f"{address} is no address of the program")


def test_every_file_that_is_linked_to_exists() -> None:
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_index_holds_every_decision_with_its_title() -> None:
    index = (DECISIONS / "README.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| \d{4} \| \[(.+)\]\((\d{4}-.+\.md)\) \| [\d.]+ \| .+ \|$", index, re.MULTILINE))
    there = {
        re.sub(r"^#\s*(?:\d+\.\s*)?", "", path.read_text("utf-8").splitlines()[0]): path.name
        for path in DECISIONS.glob("0*.md")
    }
    assert listed == there
