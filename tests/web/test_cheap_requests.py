"""Requests that are cheap to send are cheap to answer: in processor time and memory, never measured by elapsed time."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import insert, select
from werkzeug.datastructures import MultiDict

from services.core.db import now
from services.intake.unfinished import MOST_BEGUN
from services.participation.create import new_creation_key
from services.tables.participants import Beginning
from tests.support.backups import all_rows, done, forge, run
from tests.support.client import form_in, text_of
from tests.support.cost import MEGABYTES, answered
from tests.support.house import IS_OPEN, IS_PLAIN, House, of_places
from tests.support.users import id_of

FORM = "application/x-www-form-urlencoded"
BERIT = "berit.bergen"


@pytest.fixture(autouse=True)
def _nothing_begun(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "own_house" in request.fixturenames:
        request.getfixturevalue("own_house").write(Beginning.__table__.delete())


def token_of(house: House, username: str) -> str:
    return str(form_in(house.client(username).get("/hjelp"), button="Logg ut").value("csrf_token"))


MANY = {
    "keys without values": "&" * 900_000,
    "the same key": "status=endret&" * 60_000,
    "keys of their own": "&".join(f"k{n}=" for n in range(100_000)),
    "activities": "&".join(f"activities-{n % 10_000}-kind=other" for n in range(30_000)),
    "municipalities": "&".join(f"kommune={n:04}" for n in range(60_000)),
}


@pytest.mark.parametrize("what", MANY)
def test_forms_with_too_many_fields_are_refused_before_they_are_read(own_house: House, what: str) -> None:
    client, token = own_house.client(BERIT), token_of(own_house, BERIT)
    public_id = own_house.participants(of_places(BERIT), IS_OPEN, IS_PLAIN)[0]
    body = f"csrf_token={token}&{MANY[what]}&slutt=1"
    for path in ("sok", "ny", "ny/lagre", f"{public_id}/programinnhold", f"{public_id}/programinnhold/lagre"):
        answer = answered(lambda path=path: client.post(f"/deltakere/{path}", data=body, content_type=FORM))
        assert answer.status_code == 413
        assert "Det du sendte, er for stort" in text_of(answer)


@pytest.mark.parametrize("divider", [",", ", ", "\n", ";", "é,"])
def test_names_and_words_without_end(own_house: House, divider: str) -> None:
    """In the search, in both fields of user names, and among the municipalities."""
    client, token = own_house.client("ida.imdi"), token_of(own_house, "ida.imdi")
    text = divider.join(f"{n}" for n in range(60_000))
    for field in ("q", "endret-av", "kommune-navn"):
        data = MultiDict({"csrf_token": token, field: text, "slutt": "1"})
        answer = answered(lambda data=data: client.post("/deltakere/sok", data=data))
        assert answer.status_code == 422


def test_more_rows_than_a_form_has_are_refused(own_house: House) -> None:
    """Once 9 999 activities were kept as drafts, and each later page took thirteen seconds."""
    client = own_house.client(BERIT)
    public_id = own_house.participants(of_places(BERIT), IS_OPEN, IS_PLAIN)[0]
    page = client.get(f"/deltakere/{public_id}/programinnhold")
    for question in ("activities", "leaves"):
        rows = [
            (f"{question}-{n}-comment" if question == "activities" else f"{question}-{n}-from_date", "x")
            for n in range(2_000)
        ]
        pairs = [pair for pair in form_in(page, form="registrering").pairs(None) if pair[0] != "slutt"]
        data = MultiDict([*pairs, *rows, ("slutt", "1")])
        answer = answered(lambda data=data: client.post(f"/deltakere/{public_id}/programinnhold/lagre", data=data))
        assert answer.status_code == 400
    answered(lambda: client.get(f"/deltakere/{public_id}/programinnhold"))


# ---- Unfinished registrations ----


def typed(house: House, **more: str) -> MultiDict[str, str]:
    form = form_in(house.client(BERIT).get("/deltakere/ny"), form="registrering")
    return MultiDict({**dict(form.pairs(None)), **more})


def test_no_more_is_kept_of_a_form_than_somebody_types(own_house: House) -> None:
    client = own_house.client(BERIT)
    for name in ("national_id", "start_date"):
        answer = client.post_partial("/deltakere/ny/lagre", typed(own_house, **{name: "x" * 70_000}))
        assert answer.status_code == 413
    assert own_house.ask(select(Beginning.id)) == []
    assert client.post_partial("/deltakere/ny/lagre", typed(own_house, national_id="1" * 60_000)).status_code == 200


def test_only_so_many_are_kept_of_one_user(own_house: House) -> None:
    """More than that, from before the limit, are still shown and can be continued."""
    client, user = own_house.client(BERIT), id_of(own_house, BERIT)
    rows = [
        {
            "id": f"{n:016}",
            "user_id": user,
            "creation_key": new_creation_key(),
            "form": {"start_date": ["x" * 5_000]},
            "begun_at": now(),
            "changed_at": now(),
        }
        for n in range(MOST_BEGUN + 5)
    ]
    own_house.write(insert(Beginning).values(rows))
    refused = client.post_partial("/deltakere/ny/lagre", typed(own_house, national_id="03851"))
    assert refused.status_code == 422
    assert f"Du har {MOST_BEGUN} påbegynte registreringer" in text_of(refused)
    assert len(own_house.ask(select(Beginning.id))) == MOST_BEGUN + 5
    assert answered(lambda: client.get("/deltakere/pabegynte")).status_code == 200
    form = form_in(client.get(f"/deltakere/ny/{0:016}"), form="registrering")
    again = client.post_partial("/deltakere/ny/lagre", MultiDict({**dict(form.pairs(None)), "national_id": "03851"}))
    assert again.status_code == 200


# ---- Backups ----

BOMBS = {
    "one endless row": lambda parts: parts.update({"user_account.jsonl": b'["' + b"a" * 200_000_000 + b'"]\n'}),
    "deep brackets": lambda parts: parts.update({"user_account.jsonl": b"[" * 3_000_000 + b"\n"}),
    "an endless manifest": lambda parts: parts.update({"manifest.json": b" " * 200_000_000 + b"{}"}),
    "a manifest of brackets": lambda parts: parts.update({"manifest.json": b"[" * 900_000}),
    "many large rows": lambda parts: parts.update({"municipality.jsonl": (b'["' + b"a" * 2_000_000 + b'"]\n') * 100}),
}


@pytest.mark.parametrize("what", BOMBS)
def test_a_small_backup_cannot_fill_the_memory(app: Flask, tmp_path: Path, what: str) -> None:
    file = tmp_path / "bomb.backup"
    done(app, "backup", file)
    before = all_rows(app)
    forge(file, BOMBS[what])
    tracemalloc.start()
    try:
        result = run(app, "restore", file, "--yes")
        _present, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.exit_code == 1
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert peak < MEGABYTES * 1_000_000
    assert all_rows(app) == before
