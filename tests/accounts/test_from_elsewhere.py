"""What another site, an inviter, or anybody without a user can cause; and the content of the database's own log."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, insert, select
from sqlalchemy.engine import make_url

from app.accounts import letters
from services.access.audit import MOST_ANONYMOUS, Action
from services.access.viewer import Role, Viewer
from services.accounts import external_identities as identities
from services.accounts import invitations
from services.accounts import sign_in as accounts
from services.accounts.administration import Details, change
from services.accounts.external_identities import ProviderUser
from services.accounts.one_time_links import LinkPurpose, new_link
from services.accounts.throttle import TooFast
from services.core.db import db, now, writing
from services.core.encryption import Vault
from services.listing import saved_views
from services.mail.outbox import Outbox
from services.tables.accounts import OutboxMessage, User
from services.tables.participants import AccessEntry
from tests.support.client import CheckedClient
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


ADDRESS, NAME, USERNAME = "ny9@bergen.kommune.no", "Sjelden Navnløsen", "sjelden.navnløsen"
SUBJECT, VIEW = "sub-7c1f00d", "Mine med hemmelig adresse"
BESIDE_EACH_OTHER = 6


def at_once(app: Flask, act: Callable[[int], object]) -> Counter[str]:
    """Run a function in six threads at one moment; returns the outcomes by the names of exceptions."""
    begin, ended = threading.Barrier(BESIDE_EACH_OTHER), Counter[str]()

    def one(number: int) -> None:
        with app.test_request_context():
            begin.wait()
            try:
                act(number)
                ended["done"] += 1
            except Exception as problem:
                ended[type(problem).__name__] += 1

    together = [threading.Thread(target=one, args=(number,)) for number in range(BESIDE_EACH_OTHER)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    return ended


def viewer_called(username: str) -> Viewer:
    found = accounts.viewer_of(db.session.scalars(select(User.id).where(User.username == username)).one())
    assert found is not None
    return found


def invited(app: Flask, *names: str) -> list[tuple[int, str]]:
    """Add users; returns their ids and the tokens of their links."""
    with app.test_request_context(), writing() as work:
        made = []
        for number, name in enumerate(names):
            user = User(name=name, email=f"bedt{number}.{len(name)}@example.org", phone="", created_at=now())
            work.add(user)
            work.flush()
            made.append((user.id, new_link(work, user, LinkPurpose.INVITE, by=None)))
        return made


def _person(subject: str) -> ProviderUser:
    return ProviderUser(provider="idporten", issuer="https://id.example", subject=subject, sid="", id_token="")


def _two_invite(app: Flask) -> Counter[str]:
    def act(_number: int) -> None:
        asked = {"outbox": _outbox(), "letters": letters.INVITING}
        invitations.invite(viewer_called("admin.bergen"), _details(9), [(Role.CASEWORKER, "4601")], **asked)

    return at_once(app, act)


def _two_move_to_an_address(app: Flask) -> Counter[str]:
    users = invited(app, *["Noen"] * BESIDE_EACH_OTHER)

    def act(number: int) -> None:
        details = Details(name="Noen", email=ADDRESS, phone="")
        asked = {"details": details, "grants": None, "outbox": _outbox(), "moved": letters.moved}
        change(viewer_called("admin.imdi"), users[number][0], version=1, **asked)

    return at_once(app, act)


def _two_choose_a_user_name(app: Flask) -> Counter[str]:
    users = invited(app, *["Noen"] * BESIDE_EACH_OTHER)
    return at_once(app, lambda n: invitations.accept(users[n][1], username=USERNAME, password="lang nok for alle"))


def _two_of_one_name_come_from_a_provider(app: Flask) -> Counter[str]:
    users = invited(app, *[NAME] * BESIDE_EACH_OTHER)
    return at_once(app, lambda n: identities.accept(users[n][1], _person(f"{SUBJECT}{n}")))


def _two_come_with_one_identity(app: Flask) -> Counter[str]:
    users = invited(app, *[f"{NAME} {letter}" for letter in "abcdef"])
    return at_once(app, lambda n: identities.accept(users[n][1], _person(SUBJECT)))


def _two_tie_one_identity(app: Flask) -> Counter[str]:
    names = ["kari.oslo", "berit.bergen", "siri.vern", "ida.imdi", "admin.bergen", "admin.imdi"]

    def act(number: int) -> None:
        user, outbox = viewer_called(names[number]).user_id, _outbox()
        mark = accounts.password_mark(outbox.vault, user)
        identities.tie(user, _person(SUBJECT), mark=mark, outbox=outbox, letter=letters.tied)

    return at_once(app, act)


def _two_save_a_view(app: Flask) -> Counter[str]:
    return at_once(app, lambda _n: saved_views.save_view(viewer_called("kari.oslo"), VIEW, "status=endret"))


def _two_rename_a_view(app: Flask) -> Counter[str]:
    with app.test_request_context():
        kari = viewer_called("kari.oslo")
        for number in range(BESIDE_EACH_OTHER):
            saved_views.save_view(kari, f"nr. {number}", "status=endret")
        views = [one.id for one in saved_views.views_of(kari)]
    return at_once(app, lambda n: saved_views.rename_view(viewer_called("kari.oslo"), views[n], VIEW))


ONE, ALL = 1, BESIDE_EACH_OTHER


@pytest.mark.parametrize(
    ("together", "succeed", "refusal"),
    [
        (_two_invite, ONE, "EmailTaken"),
        (_two_move_to_an_address, ONE, "EmailTaken"),
        (_two_choose_a_user_name, ONE, "UsernameTaken"),
        (_two_of_one_name_come_from_a_provider, ALL, ""),
        (_two_come_with_one_identity, ONE, "IdentityTaken"),
        (_two_tie_one_identity, ONE, "IdentityTaken"),
        (_two_save_a_view, ONE, "NameTaken"),
        (_two_rename_a_view, ONE, "NameTaken"),
    ],
)
def test_the_databases_own_log_holds_nobody(
    app: Flask, database_url: str, together: Callable[[Flask], Counter[str]], succeed: int, refusal: str
) -> None:
    """Two simultaneous writes: the second finds what the first one has written, and the database refuses nothing."""
    address = make_url(database_url)
    before = len(log_of(address))
    ended = together(app)
    assert ended == Counter({"done": succeed, refusal: ALL - succeed})
    logged = log_of(address)[before:]
    assert not [word for word in (ADDRESS, USERNAME, NAME, SUBJECT, VIEW, "duplicate key") if word in logged], logged
