"""The headers of every kind of response in production, word by word, and responses to methods."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.web.access import public
from services.standins.keys import load_or_create_key
from tests.support.databases import running_app

REGISTER = "https://register.example.org"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
UNLISTED = ("TRACE", "TRACK", "PUT", "PATCH", "DELETE", "CONNECT", "PROPFIND", "HX", "G" * 200)


@pytest.fixture(scope="module")
def production(databases: Any, settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The program as in production, with a failing view."""
    key = tmp_path_factory.mktemp("production") / "key.pem"
    load_or_create_key(Path(key))
    environ = {
        "APP_ENV": "production",
        "AUDIT_KEY_FILE": settings["AUDIT_KEY_FILE"],
        "TRUSTED_PROXIES": "0",
        "SECRET_KEY": "a-long-and-random-text-of-at-least-32-characters",
        "DATABASE_URL": databases.migrated("sqlite"),
        "MASKINPORTEN_CLIENT_ID": "client",
        "MASKINPORTEN_KEY_FILE": str(key),
        "MASKINPORTEN_KEY_ID": "key-1",
        "MAIL_URL": "smtp://mail.example.org",
        **dict.fromkeys(("FREG_URL", "MASKINPORTEN_URL", "PAD_URL", "PUBLIC_URL"), REGISTER),
    }
    with running_app(environ) as app:
        app.add_url_rule("/feil", "fails", public(lambda: 1 // 0))
        yield app


def files_of(app: Flask) -> list[str]:
    return [str(app.jinja_env.globals[name]) for name in ("stylesheet_url", "script_url")]


ASKED = {
    "a page": ("GET", "/logg-inn", 200),
    "its head": ("HEAD", "/logg-inn", 200),
    "what it may be asked": ("OPTIONS", "/logg-inn", 200),
    "the way to sign in": ("GET", "/deltakere", 303),
    "a download": ("GET", "/deltakere/oversikt.csv", 303),
    "a form without its token": ("POST", "/logg-inn", 400),
    "odd bytes": ("GET", "/logg-inn?a=%00", 400),
    "a form after the visit": ("POST", "/deltakere/ny", 401),
    "nothing": ("GET", "/finnes-ikke", 404),
    "no file": ("GET", "/static/finnes-ikke.css", 404),
    "a dead link": ("GET", "/nytt-passord/0123456789abcdef", 410),
    "another method": ("PUT", "/logg-inn", 405),
    "too much": ("POST", "/logg-inn", 413),
    "a failure": ("GET", "/feil", 500),
    "health": ("GET", "/helse", 200),
    "readiness": ("GET", "/helse/klar", 200),
}


@pytest.mark.parametrize("partial", [False, True], ids=["page", "fragment"])
@pytest.mark.parametrize("what", ASKED)
def test_headers_of_every_kind_of_answer(production: Flask, what: str, partial: bool) -> None:
    method, address, status = ASKED[what]
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"} if partial else {}
    data = b"x" * 1_000_001 if what == "too much" else None
    kind = "application/x-www-form-urlencoded" if data else None
    client = FlaskClient(production)
    answer = client.open(
        address, method=method, headers=headers, data=data, content_type=kind, base_url="https://localhost"
    )
    sent_on = {303: 401, 200: 204} if partial else {}  # for a page without a fragment, and signed out
    assert answer.status_code in {status, sent_on.get(status), 204 if partial and status == 410 else None}
    assert {name: answer.headers.get_all(name) for name in HEADERS} == {name: [HEADERS[name]] for name in HEADERS}
    assert answer.headers.get_all("Cache-Control") == ["no-store"]
    assert {"HX-Request", "HX-Request-Type"} <= {word.strip() for word in answer.headers["Vary"].split(",")}


def test_headers_of_files(production: Flask) -> None:
    client = FlaskClient(production)
    for address in files_of(production):
        with client.get(address) as answer:
            seen = answer.headers["ETag"]
        for more, status in (({}, 200), ({"If-None-Match": seen}, 304), ({"Range": "bytes=9-1"}, 416)):
            with client.get(address, headers=more) as answer:
                assert answer.status_code == status
                assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize("method", UNLISTED)
def test_methods_that_nothing_takes(production: Flask, method: str) -> None:
    """405 with the allowed methods for an existing address; 404 otherwise. The request is not echoed."""
    client = FlaskClient(production)
    for address in ("/logg-inn", "/deltakere", "/helse", "/deltakere/oversikt.csv", *files_of(production)):
        with client.open(address, method=method, headers={"X-Secret": "hemmelig"}) as answer:
            assert answer.status_code == 405, address
            assert "GET" in answer.headers["Allow"]
            assert "hemmelig" not in answer.text
            assert answer.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]
    assert client.open("/finnes-ikke", method=method).status_code == 404


def test_no_method_changes_anything_but_post(production: Flask) -> None:
    for rule in production.url_map.iter_rules():
        assert (rule.methods or set()) <= {"GET", "HEAD", "OPTIONS", "POST"}, rule
