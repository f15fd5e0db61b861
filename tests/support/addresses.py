"""Every address of the program for GET requests."""

from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import Rule

from tests.support.house import IS_OPEN, IS_PLAIN, House, of_places


def get_addresses(house: House, username: str | None) -> Iterator[str]:
    """Every address for GET requests, with a participant that the user may change."""
    public_id = house.participants(of_places(username or "kari.oslo"), IS_OPEN, IS_PLAIN)[0]
    pages = ("person", "bakgrunn", "programinnhold", "avslutning")
    for rule in house.app.url_map.iter_rules():
        if "GET" in (rule.methods or set()):
            yield from sorted({_build(house.app, rule, public_id, word) for word in pages})
    yield "/deltakere?sorter=navn&retning=synkende"
    yield "/deltakere?side=2"
    yield "/deltakere?status=endret&oppstart-fra=2020-01-01&antall=50"


def _build(app: Flask, rule: Rule, public_id: str, word: str) -> str:
    known = {"public_id": public_id, "word": word, "view_id": public_id, "beginning_id": public_id, "notice_id": 1}
    # berit.bergen, an unknown link, and an unknown provider
    known |= {"user_id": 2, "token": public_id, "name": "idporten", "key": "0" * 32}
    assert rule.arguments <= known.keys(), f"{rule}: say in {__file__} what stands for {rule.arguments}"
    with app.test_request_context():
        built = app.url_map.bind("localhost").build(rule.endpoint, {name: known[name] for name in rule.arguments})
    return built.removeprefix("http://localhost")
