"""The outbox: written with its cause, sent by a real SMTP server, tried again, never twice."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from services.accounts.one_time_links import LIFE
from services.core.clock import OSLO_TIME, today
from services.core.db import db, now, writing
from services.mail.outbox import KEPT_FOR, LEASE, Outbox
from services.mail.smtp import Letter, Server
from services.tables.accounts import OutboxMessage, User
from tests.support.client import CheckedClient, form_in, text_of, tree_of
from tests.support.databases import SQLITE, Databases, running_app
from tests.support.invitations import invite
from tests.support.letters import path_in
from tests.support.postbox import Postbox
from tests.support.registering import goal_of
from tests.support.server import running_server

LETTER = Letter(subject="Prøve å sende", text="Æ, ø og å", html="<p>Æ, ø og å</p>")


@pytest.fixture
def program(database_url: str, settings: dict[str, str], mail_url: str) -> Iterator[Flask]:
    """The program with that mail server."""
    more = {"DATABASE_URL": database_url, "MAIL_URL": mail_url, "MAIL_FROM": "registeret@example.org"}
    with running_app({**settings, **more}) as app:
        app.test_client_class = CheckedClient
        yield app


def outbox_of(app: Flask) -> Outbox:
    found: Outbox = app.extensions["outbox"]
    return found


def put(app: Flask, count: int = 1) -> None:
    """Write so many messages to Kari, within a transaction."""
    with app.app_context(), writing() as work:
        user = work.scalar(select(User.id).where(User.username == "kari.oslo"))
        assert user is not None
        for _one in range(count):
            outbox_of(app).put(work, user_id=user, recipient="kari.oslo@example.org", letter=LETTER)


def send(app: Flask) -> Any:
    return app.test_cli_runner().invoke(args=["outbox", "send"])


def rows(app: Flask) -> list[OutboxMessage]:
    with app.app_context():
        return list(db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


def set_rows(app: Flask, **values: Any) -> None:
    with app.app_context():
        db.session.execute(update(OutboxMessage).values(**values))
        db.session.commit()


def test_an_invitation_arrives_in_two_languages_as_text_and_html(program: Flask, postbox: Postbox) -> None:
    client = program.test_client()
    assert isinstance(client, CheckedClient)
    client.login("admin.bergen")
    assert "er på vei" in text_of(invite(client))
    assert not postbox.messages, "nothing is sent before it is committed, nor within the request"
    result = send(program)
    assert (result.exit_code, result.output) == (0, "1 sent, 0 not sent.\n")
    (message,) = postbox.to("nora@bergen.kommune.no")
    assert message["From"] == "Jobbsjanseregisteret <registeret@example.org>"
    assert message["Subject"] == "Invitasjon til Jobbsjanseregisteret"
    kinds = [part.get_content_type() for part in message.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    text = next(message.iter_parts()).get_content()
    assert "Åpne lenken under" in text
    assert "Opne lenkja under" in text
    assert program.test_client().get(path_in(text)).status_code == 200
    page = client.get("/brukere", follow_redirects=True)
    assert "Sendt til nora@bergen.kommune.no" in text_of(client.follow(page, "Nora Ny Berg"))


def test_what_is_rolled_back_is_not_sent(program: Flask, postbox: Postbox) -> None:
    def write_and_fail() -> None:
        with program.app_context(), writing() as work:
            outbox_of(program).put(work, user_id=1, recipient="a@example.org", letter=LETTER)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert send(program).output == "0 sent, 0 not sent.\n"
    assert not postbox.messages


def test_the_text_is_sealed_and_goes_when_it_is_sent(program: Flask, postbox: Postbox) -> None:
    put(program)
    (before,) = rows(program)
    assert "Æ" not in before.body
    assert len(before.body) > 50
    send(program)
    (after,) = rows(program)
    assert (after.body, after.next_try_at, after.attempts) == ("", None, 1)
    assert after.sent_at is not None
    assert len(postbox.messages) == 1


def test_what_was_sent_is_not_sent_again(program: Flask, postbox: Postbox) -> None:
    put(program, 3)
    assert send(program).output == "3 sent, 0 not sent.\n"
    assert send(program).output == "0 sent, 0 not sent.\n"
    assert len(postbox.messages) == 3
    assert len({message["Message-ID"] for message in postbox.messages}) == 3


def test_several_at_once_send_each_message_once(program: Flask, postbox: Postbox) -> None:
    put(program, 12)

    def sender() -> None:
        with program.app_context():
            outbox_of(program).send_due()

    threads = [threading.Thread(target=sender) for _one in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(postbox.messages) == 12
    assert len({message["Message-ID"] for message in postbox.messages}) == 12


def test_it_is_tried_again_ever_later_and_given_up_when_its_link_is_dead(program: Flask, postbox: Postbox) -> None:
    put(program)
    postbox.answer = "451 later"
    waits = []
    for _try in range(8):
        result = send(program)
        assert (result.exit_code, result.output) == (1, "0 sent, 1 not sent.\n")
        (row,) = rows(program)
        assert row.next_try_at is not None
        waits.append((row.next_try_at - now()).total_seconds() / 60)
        assert send(program).output == "0 sent, 0 not sent.\n", "not before its time"
        set_rows(program, next_try_at=now())
    assert [round(wait) for wait in waits] == [1, 2, 4, 8, 16, 32, 60, 60]
    postbox.answer = ""
    assert send(program).output == "1 sent, 0 not sent.\n"
    assert KEPT_FOR == LIFE
    put(program)
    set_rows(program, expires_at=now(), next_try_at=now(), sent_at=None)
    send(program)
    assert all(row.next_try_at is None and row.failed_at for row in rows(program))
    assert len(postbox.messages) == 1


def test_an_address_that_does_not_exist_is_told_to_the_inviter(program: Flask, postbox: Postbox) -> None:
    client = program.test_client()
    assert isinstance(client, CheckedClient)
    client.login("admin.bergen")
    page = invite(client)
    postbox.refuses_recipient = "550 no such user"
    assert send(program).output == "0 sent, 1 not sent.\n"
    assert "kunne ikke leveres til nora@bergen.kommune.no" in text_of(client.get(page.request.path))
    (row,) = rows(program)
    assert (row.next_try_at, row.body) == (None, "")
    assert "nora" not in row.last_error


class Script:
    """An SMTP server with a configured reply at each point of the conversation."""

    def __init__(self, **said: str) -> None:
        self._said = said
        self.taken = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:  # closed
                return
            with suppress(OSError), connection, connection.makefile("rw", encoding="utf-8", newline="\r\n") as lines:
                self._talk(lines)

    def _talk(self, lines: Any) -> None:
        def say(point: str, usual: str) -> bool:
            lines.write(self._said.get(point, usual) + "\n")
            lines.flush()
            return point not in self._said

        if not say("greeting", "220 ready"):
            return
        for line in lines:
            verb = line.split()[0].upper()
            if verb == "DATA" and say("data", "354 go on"):
                while next(lines).strip() != ".":
                    pass
                self.taken += say("content", "250 taken")
            elif verb == "EHLO" and "auth" in self._said and "ehlo" not in self._said:
                lines.write("250-here\n250 AUTH PLAIN\n")
                lines.flush()
            elif verb == "QUIT":
                say("quit", "221 bye")
                return
            elif verb != "DATA":
                say(verb.lower(), "250 OK")

    def close(self) -> None:
        self._socket.close()


def ask(program: Flask, script: Script, *, login: str = "") -> OutboxMessage:
    """Write a message, and send it to that server."""
    outbox, url = outbox_of(program), script.url.replace("//", f"//{login}")
    program.extensions["outbox"] = Outbox(vault=outbox.vault, sender=outbox.sender, server=Server.at(url))
    put(program)
    send(program)
    script.close()
    return rows(program)[-1]


REFUSED = [
    *({point: f"{code} no"} for code in (550, 552, 554) for point in ("mail", "rcpt", "data", "content")),
    {"greeting": "554 no mail here"},
    {"ehlo": "550 not you", "helo": "550 not you"},
]


def test_what_is_refused_for_good_is_given_up_at_once(program: Flask) -> None:
    for said in REFUSED:
        script = Script(**said)
        row = ask(program, script)
        assert row.failed_at is not None, said
        assert (row.next_try_at, row.sent_at, row.body, script.taken) == (None, None, "", 0)
        assert "kari" not in row.last_error


TRIED_AGAIN = [
    *({point: f"{code} later"} for code in (421, 450, 452) for point in ("mail", "rcpt", "data", "content")),
    {"greeting": "421 busy"},
    {"mail": "530 5.7.0 Authentication required"},  # our fault, not the letter's
    {"rcpt": "530 Must issue a STARTTLS command first"},
    {"auth": "535 wrong password"},
    {"auth": "550 blocked"},
    {"greeting": "hello"},
]


def test_what_may_do_better_later_is_tried_again(program: Flask) -> None:
    for said in TRIED_AGAIN:
        script = Script(**said)
        row = ask(program, script, login="us:secret@" if "auth" in said else "")
        assert row.failed_at is None, said
        assert row.next_try_at is not None
        assert row.body
        assert script.taken == 0


def test_what_was_taken_is_sent_whatever_the_server_says_then(program: Flask) -> None:
    for said in ("221 bye", "421 closing", "554 what"):
        script = Script(quit=said)
        row = ask(program, script)
        assert script.taken == 1
        assert row.sent_at is not None, said
        assert (row.next_try_at, row.failed_at) == (None, None)


def state_in_list(client: CheckedClient, name: str) -> str:
    """The state of a user in the list of users."""
    tree = tree_of(client.get("/brukere"))
    (row,) = [one for one in tree.elements("tr") if name in tree.text(one)]
    return tree.text(next(cell for cell in row.iter("td") if cell.attrib["data-label"] == "Status"))


def test_the_inviter_sees_at_once_that_it_cannot_be_delivered(program: Flask, postbox: Postbox) -> None:
    client = program.test_client()
    assert isinstance(client, CheckedClient)
    client.login("admin.bergen")
    page = invite(client)
    assert state_in_list(client, "Nora Ny Berg") == "Invitert"
    postbox.answer = "554 spam"
    send(program)
    assert state_in_list(client, "Nora Ny Berg") == "Kunne ikke leveres"
    words = text_of(client.get(page.request.path))
    assert "Kunne ikke leveres" in words
    assert "E-posten kunne ikke leveres til nora@bergen.kommune.no. Kontroller at adressen er riktig" in words
    found = client.submit(client.get("/brukere"), button="Søk", fill={"Søk etter bruker": "kunne ikke leveres"})
    assert "Nora Ny Berg" in text_of(client.get(goal_of(found)) if found.status_code == 303 else found)
    postbox.answer = ""
    client.submit(client.get(page.request.path), button="Send på nytt")
    assert state_in_list(client, "Nora Ny Berg") == "Invitert"
    send(program)
    assert "Sendt til nora@bergen.kommune.no" in text_of(client.get(page.request.path))


def test_the_inviter_sees_that_it_is_delayed_and_until_when(program: Flask, postbox: Postbox) -> None:
    client = program.test_client()
    assert isinstance(client, CheckedClient)
    client.login("admin.bergen")
    page = invite(client)
    postbox.refuses_recipient = "451 greylisted"
    send(program)
    (row,) = rows(program)
    assert row.next_try_at is not None
    at = row.next_try_at.astimezone(OSLO_TIME)
    said = f"kl. {at:%H.%M}" if at.date() == today() else f"{at:%d.%m.%Y kl. %H.%M}"
    assert state_in_list(client, "Nora Ny Berg") == f"Forsinket, prøves igjen {said}"
    assert f"er ikke levert ennå. Forsinket, prøves igjen {said}." in text_of(client.get(page.request.path))
    tomorrow = now() + timedelta(days=1)
    set_rows(program, next_try_at=tomorrow)
    at = tomorrow.astimezone(OSLO_TIME)
    assert state_in_list(client, "Nora Ny Berg") == f"Forsinket, prøves igjen {at:%d.%m.%Y kl. %H.%M}"
    postbox.refuses_recipient = ""
    set_rows(program, next_try_at=now())
    send(program)
    assert state_in_list(client, "Nora Ny Berg") == "Invitert"


def test_no_mail_server(program: Flask, postbox: Postbox, mail_url: str) -> None:
    put(program)
    outbox = outbox_of(program)
    assert outbox.server is not None
    program.extensions["outbox"] = Outbox(
        vault=outbox.vault, sender=outbox.sender, server=type(outbox.server).at("smtp://127.0.0.1:1")
    )
    assert send(program).exit_code == 1
    (row,) = rows(program)
    assert row.last_error == "ConnectionRefusedError"
    assert row.next_try_at is not None


def test_a_sender_that_died_leaves_its_message_to_another(program: Flask, postbox: Postbox) -> None:
    put(program)
    set_rows(program, next_try_at=now() + LEASE, attempts=1)  # taken, and then nothing more
    assert send(program).output == "0 sent, 0 not sent.\n"
    set_rows(program, next_try_at=now())
    assert send(program).output == "1 sent, 0 not sent.\n"


def test_another_secret_key_opens_no_letter(program: Flask, postbox: Postbox) -> None:
    put(program)
    outbox = outbox_of(program)
    program.extensions["outbox"] = Outbox(
        vault=type(outbox.vault)("another key than it was"), sender=outbox.sender, server=outbox.server
    )
    send(program)
    (row,) = rows(program)
    assert row.failed_at
    assert "SECRET_KEY" in row.last_error
    assert not postbox.messages


# ---- The running program ----


def test_the_running_program_sends_by_itself_also_what_was_left(
    databases: Databases, settings: dict[str, str], mail_url: str, postbox: Postbox
) -> None:
    address = databases.filled(SQLITE)
    more = {"DATABASE_URL": address, "MAIL_URL": mail_url}
    with running_app({**settings, **more}) as app:
        put(app, 2)  # and then it was killed
    live = {**settings, **more, "APP_ENV": "development", "SECRET_KEY": settings["SECRET_KEY"]}
    with running_server(live, workers=2):
        end = time.monotonic() + 30
        while len(postbox.messages) < 2 and time.monotonic() < end:
            time.sleep(0.1)
    assert len(postbox.messages) == 2
    databases.remove(address)


def test_in_development_e_mails_can_be_read_on_a_page(databases: Databases, settings: dict[str, str]) -> None:
    address = databases.filled(SQLITE)
    with running_app({**settings, "DATABASE_URL": address, "APP_ENV": "development"}) as app:
        app.test_client_class = CheckedClient
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        assert "Ingen e-poster" in text_of(client.get("/utvikling/e-post"))
        client.login("admin.bergen")
        invite(client)
        page = client.get("/utvikling/e-post")
        assert "nora@bergen.kommune.no" in text_of(page)
        link = next(one for one in tree_of(page).elements("a") if "Åpne lenken" in tree_of(page).text(one))
        assert client.follow(page, "Åpne lenken i e-posten").status_code == 409, "signed in as somebody else"
        other = app.test_client()
        assert other.get(link.attrib["href"]).status_code == 200
        assert app.test_cli_runner().invoke(args=["outbox", "send"]).exit_code == 1
    databases.remove(address)


def test_elsewhere_there_is_no_such_page(client: CheckedClient) -> None:
    assert client.get("/utvikling/e-post").status_code == 404


def test_links_begin_with_our_address_whatever_host_a_request_names(
    databases: Databases, settings: dict[str, str]
) -> None:
    address = databases.filled(SQLITE)
    more = {"DATABASE_URL": address, "PUBLIC_URL": "https://register.example.org"}
    with running_app({**settings, **more}) as app:
        client, evil = app.test_client(), "http://evil.example"
        page = client.get("/glemt-passord", base_url=evil)
        token = form_in(page).value("csrf_token")
        client.post("/glemt-passord", data={"csrf_token": token, "whom": "kari.oslo", "slutt": "1"}, base_url=evil)
        (row,) = rows(app)
        letter = outbox_of(app).letter_of(row)
        assert "https://register.example.org/nytt-passord/" in letter.text
        assert "evil" not in letter.text + letter.html
    databases.remove(address)
