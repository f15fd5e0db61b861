"""The common part of the registration tests: a caseworker's way through the pages, and reading the register."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import inspect, select
from sqlalchemy.orm import selectinload
from werkzeug.test import TestResponse

from services.access.viewer import Viewer
from services.accounts.sign_in import viewer_of
from services.core.clock import today
from services.core.days import date_text
from services.core.db import db
from services.core.name_folding import folded_words
from services.participation.answers import values_of
from services.participation.create import create, new_creation_key
from services.participation.find import find
from services.participation.page import Page, page_again, page_of, read_page
from services.participation.save import save
from services.participation.sent_form import SentForm, ShownForm
from services.questions.fields import Raw
from services.questions.pages import BACKGROUND, PERSON, PROGRAMME, TERMINATION, Step
from services.questions.programme_time import months_on
from services.standins.population import SyntheticPerson, people
from services.tables.accounts import User
from services.tables.participants import AccessEntry, Change, DraftValue, Participation, Person
from tests.support.client import CheckedClient, form_in, text_of
from tests.support.forms import Form, Value

Answers = dict[str, Value]


def last_start(day: date) -> date:
    """The last oppstart whose two years of programme time are over on that day."""
    start = months_on(day, -24)
    return start if months_on(start, 24) <= day else start - timedelta(days=1)  # 29 February


def _finds(searched: list[str], name: list[str]) -> bool:
    """True if a search for all these words finds the name."""
    return bool(searched) and all(any(part in word for word in name) for part in searched)


STEP_OF = {"person": PERSON, "bakgrunn": BACKGROUND, "programinnhold": PROGRAMME, "avslutning": TERMINATION}
START = today() - timedelta(days=400)
BY_MISTAKE: Answers = {"Hvorfor slettes deltakeren?": "Registrert ved en feil"}
NAME_IS_RIGHT = "Jeg bekrefter at navn vist er identisk med navn på deltaker"

# Complete pages, with as few fields as possible.
FULL_BACKGROUND: Answers = {
    "Målgruppe ved oppstart": "Mottar sosialhjelp",
    "Rekrutteringskanal": "Nav",
    "Tidligere tiltak": ["Norskopplæring"],
    "Lese- og skriveferdigheter på eget morsmål": "Gode ferdigheter",
    "Norsknivå ved oppstart, muntlig": "A2",
    "Norsknivå ved oppstart, skriftlig": "A1",
    "Høyeste fullførte utdanning": "1–7 år",
    "Arbeidserfaring før oppstart": "Ingen",
    "Antall barn under 18 år": "0",
    "Hovedkilde til livsopphold ved oppstart": "Overgangsstønad",
}
FULL_PROGRAMME: Answers = {
    "Er det laget en individuell plan?": "Nei",
    "Mål": ["Lønnet arbeid"],
    "Timer i program per uke": "30",
    "Mottar deltakeren stønad gjennom Jobbsjansen?": "Ja",
    "Ingen tiltak gjennomført": True,
}
FULL_TERMINATION: Answers = {
    "Årsak til avslutning": "Møter ikke opp",
    "Dato for avslutning": date_text(today() - timedelta(days=3)),
    "Gyldig fravær, dager": "12",
    "Ugyldig fravær, dager": "0",
    "Hovedkilde til livsopphold etter avslutning": "Lønn",
    "Norsknivå ved avslutning, muntlig": "B1",
    "Norsknivå ved avslutning, skriftlig": "A2",
}


def address(public_id: str, word: str, *more: str) -> str:
    """The address of one of a participant's pages: person, bakgrunn, programinnhold, avslutning, data, historikk,
    slett."""
    return "/".join(["/deltakere", public_id, word, *more])


def goal_of(answer: TestResponse) -> str:
    """The destination of a redirect, for a page or a fragment."""
    goal = answer.headers.get("Location") or answer.headers.get("HX-Redirect")
    assert goal, f"{answer.status}, no redirect: {text_of(answer)[:600]}"
    return urlsplit(goal).path


def values_in(form: Form) -> list[tuple[str, str]]:
    """All values of a form, without its version and token."""
    own = {"version", "csrf_token", "form_key", "vist", "sagt", "varslet"}
    return [pair for pair in form.pairs(None) if pair[0] not in own]


@dataclass
class Office:
    """Caseworkers with their clients. `client_of`: returns the signed-in client of a user."""

    app: Flask
    client_of: Callable[[str], CheckedClient]

    # ---- People ----

    def someone(self, kind: str = "ordinary") -> SyntheticPerson:
        """An unused person of that kind, unknown to the register and earlier tests. A search for the name finds no one
        else, and searches for others do not find this person."""
        queues: dict[str, Iterator[SyntheticPerson]] = self.app.extensions.setdefault("tests.queues", {})
        names: list[list[str]] = self.app.extensions.setdefault("tests.names", [])
        if kind not in queues:
            with self.app.app_context():
                known = set(db.session.scalars(select(Person.national_id)))
                registered = () if queues else db.session.scalars(select(Person.name))
                names += [folded_words(name) for name in registered if name]
            queues[kind] = (p for p in people() if kind in p.kinds and not known & {p.number, p.current_number})
        for one in queues[kind]:
            words = folded_words(one.full_name or "")
            if not any(_finds(words, other) or _finds(other, words) for other in names):
                names += [words] if words else []
                return one
        raise AssertionError(f"there is nobody left of the kind {kind}")

    # ---- The way through the pages ----

    def begin(self, person: SyntheticPerson | str, by: str = "berit.bergen") -> TestResponse:
        """«Legg til deltaker», with the number typed and the name fetched."""
        number = person if isinstance(person, str) else person.number
        client = self.client_of(by)
        return client.submit(client.get("/deltakere/ny"), button="Hent navn", fill={"Fødselsnummer": number})

    def finish(
        self,
        page: TestResponse,
        by: str = "berit.bergen",
        *,
        button: str = "Neste",
        start: date | str = START,
        fill: Mapping[str, Value] | None = None,
        **more: Any,
    ) -> TestResponse:
        """Fill in and send page 1; returns the response."""
        given: Answers = {
            NAME_IS_RIGHT: True,
            "Dato for oppstart": start if isinstance(start, str) else date_text(start),
        }
        return self.client_of(by).submit(page, button=button, fill={**given, **(fill or {})}, **more)

    def create(
        self,
        person: SyntheticPerson | None = None,
        by: str = "berit.bergen",
        *,
        start: date | str = START,
        fill: Mapping[str, Value] | None = None,
    ) -> str:
        """Create a new participant; returns the public id."""
        answer = self.finish(self.begin(person or self.someone(), by), by, start=start, fill=fill)
        return goal_of(answer).split("/")[2]

    def page(self, public_id: str, word: str, by: str = "berit.bergen") -> TestResponse:
        """One of the participant's pages."""
        return self.client_of(by).get(address(public_id, word))

    def form(self, public_id: str, word: str, by: str = "berit.bergen") -> Form:
        """The form of one of the participant's pages."""
        return form_in(self.page(public_id, word, by), form="registrering")

    def send(
        self,
        public_id: str,
        word: str,
        fill: Mapping[str, Value] | None = None,
        button: str = "Til deltakeroversikten",
        by: str = "berit.bergen",
        **more: Any,
    ) -> TestResponse:
        """Fill in one of the participant's pages and send it by a button (default: out to the overview)."""
        return self.client_of(by).submit(
            self.page(public_id, word, by), form="registrering", button=button, fill=fill, **more
        )

    def save(self, public_id: str, word: str, fill: Mapping[str, Value], by: str = "berit.bergen") -> None:
        """Save a page; must succeed."""
        goal_of(self.send(public_id, word, fill, by=by))

    # ---- Short cuts to the start of a test: through the services, instead of pages ----

    def given(
        self,
        person: SyntheticPerson | None = None,
        by: str = "berit.bergen",
        *,
        start: date = START,
        district: str | None = None,
        **pages: Answers,
    ) -> str:
        """Create a participant through the services; returns the public id. `pages`: answers by the pages' words."""
        record = (person or self.someone()).record()
        form = {"funding": ["ordinary"], "start_date": [date_text(start)], "district": [district or ""]}
        with self.app.app_context():
            viewer = self._viewer(by)
            number = viewer.places[0].number
            page = read_page(STEP_OF["person"], form, {"today": today(), "municipality": number})
            public_id = create(
                viewer,
                person=record,
                results=[],
                municipality_number=number,
                page=page,
                creation_key=new_creation_key(),
            )
        for word, answers in pages.items():
            self.put(public_id, word, answers, by)
        return public_id

    def put(self, public_id: str, word: str, answers: Answers, by: str = "berit.bergen") -> None:
        """Save some answers of a page, keeping the others; invalid ones become drafts."""
        step = STEP_OF[word]
        with self.app.app_context():
            viewer = self._viewer(by)
            found = find(viewer, public_id)
            page = page_again(page_of(found, step), _raw(step, answers), values_of(found))
            save(viewer, public_id, SentForm(page, ShownForm(found.version)), keep_unread=True)

    def complete(self, person: SyntheticPerson | None = None, by: str = "berit.bergen", **more: Any) -> str:
        """A participant whose first three pages are complete."""
        return self.given(person, by, **more, bakgrunn=FULL_BACKGROUND, programinnhold=FULL_PROGRAMME)

    def ended(self, person: SyntheticPerson | None = None, by: str = "berit.bergen", **more: Any) -> str:
        """A participant who is ready to be discharged."""
        return self.complete(person, by, **more, avslutning=FULL_TERMINATION)

    def _viewer(self, username: str) -> Viewer:
        user_id = db.session.scalar(select(User.id).where(User.username == username))
        found = viewer_of(user_id or 0)
        assert found is not None
        return found

    def discharge(self, public_id: str, by: str = "berit.bergen") -> TestResponse:
        """«Utskriv og registrer ferdig», «Det er OK»."""
        question = self.send(public_id, "avslutning", {}, "Utskriv og registrer ferdig", by, follow_redirects=True)
        return self.client_of(by).submit(question, button="Det er OK")

    # ---- Reading the register ----

    def participation(self, public_id: str) -> Participation:
        """The participation from the database, with its rows."""
        with self.app.app_context():
            found = db.session.scalar(
                select(Participation)
                .where(Participation.public_id == public_id)
                .options(
                    selectinload(Participation.person),
                    selectinload(Participation.activities),
                    selectinload(Participation.leaves),
                )
            )
            assert found is not None
            self._check_counts(found)
            db.session.expunge_all()
            return found

    def _check_counts(self, participation: Participation) -> None:
        """Check that the stored counts of missing fields agree with the pages."""
        counted = {BACKGROUND: participation.background_missing, PROGRAMME: participation.programme_missing}
        for step, stored in counted.items():
            page = page_of(participation, step)
            assert stored == len(_lacking(page)), f"{step.name}: {stored} stored, but {sorted(_lacking(page))} lack"

    def changes(self, public_id: str) -> list[tuple[int, str, str, Any, Any]]:
        """The history: (version, user, field, old, new), oldest first."""
        with self.app.app_context():
            rows = db.session.scalars(
                select(Change)
                .join(Participation, Change.participation_ref == Participation.id)
                .where(Participation.public_id == public_id)
                .order_by(Change.id)
            )
            return [(row.version, row.username, row.field, row.old, row.new) for row in rows]

    def drafts(self, public_id: str, by: str | None = None) -> dict[str, Any]:
        """The drafts of one user or of all, by field."""
        with self.app.app_context():
            rows = db.session.scalars(
                select(DraftValue)
                .join(Participation, DraftValue.participation_ref == Participation.id)
                .where(Participation.public_id == public_id)
            )
            return {row.field: row.raw for row in rows if by in {None, row.username}}

    def log(self, public_id: str | None = None) -> list[tuple[str, dict[str, Any] | None]]:
        """The access log, of a participant or of all: (action, detail), oldest first."""
        with self.app.app_context():
            query = select(AccessEntry).order_by(AccessEntry.id)
            if public_id is not None:
                one = select(Participation.id).where(Participation.public_id == public_id).scalar_subquery()
                query = query.where(AccessEntry.participation_ref == one)
            return [(row.action, row.detail) for row in db.session.scalars(query)]

    def count(self) -> int:
        """The number of all participations."""
        with self.app.app_context():
            return len(list(db.session.scalars(select(Participation.id))))

    def snapshot(self, public_id: str) -> tuple[Any, ...]:
        """Everything that a save could change, to check that nothing was stored."""
        found = self.participation(public_id)
        columns = [getattr(found, column.key) for column in inspect(Participation).columns]
        values = values_of(found)
        return columns, values["activities"], values["leaves"], self.changes(public_id), self.drafts(public_id)


def _raw(step: Step, answers: Answers) -> dict[str, Raw]:
    """Answers by label and text, as raw values of the controls."""
    raw: dict[str, Raw] = {}
    for label, value in answers.items():
        question = next(one for one in step.fields if one.label == label)
        given = [value] if isinstance(value, str) else ["1"] * value if isinstance(value, bool) else [*value]
        codes = {option.label: option.code for option in getattr(question, "options", ())}
        raw[question.key] = [codes.get(one, one) for one in given]
    return raw


def _lacking(page: Page) -> set[str]:
    """The fields of a page with a problem."""
    return {name.partition("-")[0] for name in page.problems}
