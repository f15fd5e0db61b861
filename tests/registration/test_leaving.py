"""Changes sent while a page is left: their handling is recorded, and in the next form they are the user's own."""

import json
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import update
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from services.core.db import db, now
from services.tables.participants import LeftSave
from tests.support.client import CheckedClient, htmx_headers, text_of
from tests.support.forms import Form
from tests.support.house import House
from tests.support.registering import FULL_BACKGROUND, Office, address, goal_of
from tests.support.screen import Screen

ANNE = "anne.tokommuner"
OTHER = "f" * 32


def sent(form: Form, *, felt: list[str] | None = None, **more: str) -> MultiDict[str, str]:
    """The form's values to send; with `felt` only these fields were touched."""
    on = Screen(CheckedClient(None), "", form.tree, touched=set(felt or ()))
    return on.sent(more, whole=felt is None, form=form)


def send_of(public_id: str) -> str:
    """The key of a request sent while leaving."""
    return sha256(public_id.encode()).hexdigest()[:32]


def leave(office: Office, public_id: str, form: Form, by: str = "berit.bergen", **fill: str) -> TestResponse:
    """Send a form as while leaving the page: no response is read, so there are no htmx headers."""
    form.fill(fill)
    data = sent(form, avsted=send_of(public_id), felt=list(fill))
    return office.client_of(by).post(address(public_id, "bakgrunn", "lagre"), data=data)


def ask(office: Office, public_id: str, form: Form, by: str = "berit.bergen", **more: str) -> TestResponse:
    """The next page's request."""
    client = office.client_of(by)
    headers = htmx_headers(source="form", target=None, page=client.page_address) | {"X-Uspurt": "1"}
    return client.post(address(public_id, "bakgrunn", "lagre"), data=sent(form, felt=[], **more), headers=headers)


def is_told(answer: TestResponse) -> bool:
    """True if the response reports that the request was handled."""
    assert answer.status_code == 200
    return "ventet" in json.loads(answer.headers.get("HX-Trigger", "{}"))


def key_of(form: Form) -> str:
    """The key of the form."""
    return str(form.value("form_key"))


def test_the_next_page_hears_when_it_has_been_handled(office: Office) -> None:
    public_id = office.given(bakgrunn=FULL_BACKGROUND)
    old, new = office.form(public_id, "bakgrunn"), office.form(public_id, "bakgrunn")
    assert not is_told(ask(office, public_id, new, venter=send_of(public_id)))
    assert leave(office, public_id, old, children="0").status_code == 204
    assert office.participation(public_id).children == 0
    assert is_told(ask(office, public_id, new, venter=send_of(public_id)))
    assert not is_told(ask(office, public_id, new, venter=OTHER))
    hers = office.form(public_id, "bakgrunn", ANNE)
    assert not is_told(ask(office, public_id, hers, by=ANNE, venter=send_of(public_id)))
    another = office.given()
    assert not is_told(ask(office, another, office.form(another, "bakgrunn"), venter=send_of(public_id)))


def test_what_was_refused_has_not_been_handled(office: Office) -> None:
    public_id = office.given(bakgrunn=FULL_BACKGROUND)
    old = office.form(public_id, "bakgrunn")
    next(control for control in old.controls if control.name == "version").value = "999"
    assert leave(office, public_id, old, children="0").status_code == 400
    assert not is_told(ask(office, public_id, office.form(public_id, "bakgrunn"), venter=send_of(public_id)))


@pytest.mark.parametrize("name", ["avsted", "venter", "etter"])
def test_what_is_no_key_is_refused(office: Office, name: str) -> None:
    public_id = office.given(bakgrunn=FULL_BACKGROUND)
    data = sent(office.form(public_id, "bakgrunn"), **{name: "0123"})
    before = office.snapshot(public_id)
    assert office.client_of("berit.bergen").post(address(public_id, "bakgrunn", "lagre"), data=data).status_code == 400
    assert office.snapshot(public_id) == before


def test_sent_twice_it_is_handled_once(office: Office) -> None:
    public_id = office.given(bakgrunn=FULL_BACKGROUND)
    old = office.form(public_id, "bakgrunn")
    for _time in range(2):
        assert leave(office, public_id, old, children="0").status_code == 204
    assert is_told(ask(office, public_id, office.form(public_id, "bakgrunn"), venter=send_of(public_id)))


def test_it_is_kept_for_a_day(own_house: House, office: Office) -> None:
    public_id = office.given(bakgrunn=FULL_BACKGROUND)
    leave(office, public_id, office.form(public_id, "bakgrunn"), children="0")
    with own_house.app.app_context():
        long_ago = update(LeftSave).where(LeftSave.key == send_of(public_id))
        db.session.execute(long_ago.values(at=now() - timedelta(days=1, minutes=1), key=OTHER))
        db.session.commit()
    leave(office, public_id, office.form(public_id, "bakgrunn"), recruitment="nav")
    new = office.form(public_id, "bakgrunn")
    assert is_told(ask(office, public_id, new, venter=send_of(public_id)))
    assert not is_told(ask(office, public_id, new, venter=OTHER))


@pytest.mark.parametrize("partial", [False, True])
def test_what_the_left_form_changed_stands_in_the_next(office: Office, partial: bool) -> None:
    """The next page was loaded before: its whole form neither undoes the change nor calls it another user's."""
    public_id = office.given(bakgrunn=FULL_BACKGROUND)
    old, new = office.form(public_id, "bakgrunn"), office.form(public_id, "bakgrunn")
    leave(office, public_id, old, mother_tongue="Urdu", recruitment="nav")
    new.fill({"recruitment": "Annet"})
    data = sent(new, etter=key_of(old), go="overview")
    client, goal = office.client_of("berit.bergen"), address(public_id, "bakgrunn")
    goal_of(client.post_partial(goal, data) if partial else client.post(goal, data=data))
    found = office.participation(public_id)
    assert (found.mother_tongue, found.recruitment) == ("urd", "other")  # the value typed last


def test_it_is_drawn_anew_and_told_to_nobody(office: Office) -> None:
    public_id = office.given(bakgrunn=FULL_BACKGROUND)
    old, new = office.form(public_id, "bakgrunn"), office.form(public_id, "bakgrunn")
    leave(office, public_id, old, mother_tongue="Urdu")
    answer = ask(office, public_id, new, etter=key_of(old))
    assert 'data-hx-target="#felt-mother_tongue"' in answer.text
    assert 'value="urd" selected>Urdu' in answer.text
    assert "har endret" not in text_of(answer)


def test_what_another_changed_is_still_a_conflict(office: Office) -> None:
    public_id = office.given(bakgrunn=FULL_BACKGROUND)
    old, new = office.form(public_id, "bakgrunn"), office.form(public_id, "bakgrunn")
    leave(office, public_id, old, mother_tongue="Urdu")
    office.put(public_id, "bakgrunn", {"Morsmål": "Tamil"}, ANNE)
    new.fill({"mother_tongue": "Somali"})
    data = sent(new, etter=key_of(old), go="overview")
    answer = office.client_of("berit.bergen").post(address(public_id, "bakgrunn"), data=data)
    assert answer.status_code == 409
    assert "anne.tokommuner har endret dette til «Tamil»" in text_of(answer)
