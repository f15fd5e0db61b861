"""What another site, an inviter, or anybody without a user can start; and what the database's own log holds."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, text
from sqlalchemy.engine import make_url

from app.accounts import letters
from services import accounts, invitations
from services.account_models import OutboxMessage, User
from services.audit import MOST_ANONYMOUS, Action
from services.db import db, now
from services.models import AccessEntry
from services.outbox import Outbox
from services.throttle import TooFast
from services.users import Details
from services.vault import Vault
from services.viewer import Role
from tests.support.client import CheckedClient
from tests.support.databases import SQLITE, running_app
from tests.support.postgres import log_of

SignIn = Callable[[str], CheckedClient]
FILES = ("oversikt.csv", "oversikt.xlsx", "fullt-datasett.csv", "fullt-datasett.xlsx", "tiltak.csv", "tiltak.xlsx")


def lines(app: Flask, action: Action) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).where(AccessEntry.action == action.value)) or 0


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_starts_no_download(app: Flask, sign_in: SignIn, site: str) -> None:
    kari = sign_in("kari.oslo")
    for file in FILES:
        answer = kari.get(f"/deltakere/{file}?status=endret", headers={"Sec-Fetch-Site": site})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/deltakere?status=endret")
    log = sign_in("admin.imdi").get("/tilgangslogg.csv", headers={"Sec-Fetch-Site": site})
    assert (log.status_code, log.headers["Location"]) == (303, "/tilgangslogg")
    assert lines(app, Action.DOWNLOAD) == 0
    behind = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    assert kari.get("/deltakere", headers=behind).status_code == 403
    assert kari.get("/deltakere", headers=behind | {"Sec-Fetch-Mode": "navigate"}).status_code == 200


@pytest.mark.parametrize("site", [None, "none", "same-origin"])
def test_the_own_site_does(app: Flask, sign_in: SignIn, site: str | None) -> None:
    headers = {"Sec-Fetch-Site": site} if site else {}
    assert sign_in("kari.oslo").get("/deltakere/oversikt.csv", headers=headers).status_code == 200
    assert lines(app, Action.DOWNLOAD) == 1


def _details(number: int) -> Details:
    return Details(name="VIKTIG: http://ondt.example", email=f"ny{number}@bergen.kommune.no", phone="55 00 00 00")


def _outbox() -> Outbox:
    return Outbox(vault=Vault("only for this test"), sender="register@example.org")


def test_invitations_are_limited_and_begin_with_our_own_words(app: Flask, database_url: str) -> None:
    with app.test_request_context():
        admin = db.session.scalars(select(User.id).where(User.username == "admin.bergen")).one()
        viewer = accounts.viewer_of(admin)
        assert viewer is not None
        row = {"at": now(), "user_id": admin, "action": Action.INVITE.value}
        db.session.execute(insert(AccessEntry), [row] * (invitations.MOST_AN_HOUR - 1))
        db.session.commit()
        asked = {"outbox": _outbox(), "letters": letters.INVITING}
        grants = [(Role.CASEWORKER, "4601")]
        invitations.invite(viewer, _details(1), grants, **asked)
        with pytest.raises(TooFast):
            invitations.invite(viewer, _details(2), grants, **asked)
        message = db.session.scalars(select(OutboxMessage)).one()
        letter = _outbox().letter_of(message)
        assert letter.text.startswith("Hei!\n\nDu er invitert til Jobbsjanseregisteret.")
        assert "ondt.example" not in letter.subject + letter.text + letter.html


def test_nobody_in_particular_fills_the_log(app: Flask) -> None:
    with app.app_context():
        for _time in range(MOST_ANONYMOUS + 20):
            accounts.note_refused_sign_in(None, {"provider": "idporten", "why": "state"})
    assert lines(app, Action.SIGN_IN_FAILED) == MOST_ANONYMOUS


def test_the_databases_own_log_holds_nobody(app: Flask, settings: dict[str, str], database_url: str) -> None:
    """Two write the same address, user name, and number at once; the second finds what the first one has written."""
    if make_url(database_url).get_backend_name() == SQLITE:
        with app.app_context():
            assert db.engine.dialect.name == SQLITE  # has no log of its own
        return
    begin, taken = threading.Barrier(6), []

    def invite_one() -> None:
        with running_app({**settings, "DATABASE_URL": database_url}) as own, own.test_request_context():
            admin = db.session.scalars(select(User.id).where(User.username == "admin.bergen")).one()
            viewer = accounts.viewer_of(admin)
            assert viewer is not None
            begin.wait()
            try:
                asked = {"outbox": _outbox(), "letters": letters.INVITING}
                invitations.invite(viewer, _details(9), [(Role.CASEWORKER, "4601")], **asked)
            except invitations.EmailTaken:
                taken.append(1)

    together = [threading.Thread(target=invite_one) for _one in range(6)]
    for one in together:
        one.start()
    for one in together:
        one.join()
    assert len(taken) == 5
    assert "ny9@bergen.kommune.no" not in log_of(make_url(database_url))
    with app.app_context():
        assert db.session.scalar(text("SELECT count(*) FROM user_account WHERE email = 'ny9@bergen.kommune.no'")) == 1
