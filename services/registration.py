"""Registering: reading a page, creating a participation, saving a page of it, discharging.

What two people write at the same time is settled by versions. A form carries the version that it
showed; the history tells which answers have changed since. An answer that the form did not touch
keeps the other's value; one that both changed is a `Conflict` and nothing is saved. Whether a page is
right is weighed on what then stands there, within the transaction.
"""

import secrets
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.audit import Action, note
from services.db import now, session, writing
from services.fields import DateField, Field, FormData, Invalid, Raw, RowsField, Values
from services.folkeregisteret import PersonRecord
from services.i18n import gettext as _
from services.models import Activity, Change, DraftValue, Leave, Municipality, Participation, Person, Status
from services.norwegian_order import sort_key
from services.pad import TestResult
from services.participants import NotAllowed, change_row, locked
from services.steps import BACKGROUND, FIELDS, PERSON, PROGRAMME, ROW_KEYS, STEPS, TERMINATION, Step
from services.viewer import Viewer

OSLO_TIME = ZoneInfo("Europe/Oslo")
_COLUMN = {"district": "district_number"}
_ROW_MODELS: dict[str, type[Activity] | type[Leave]] = {"activities": Activity, "leaves": Leave}


class AlreadyRunning(Exception):  # noqa: N818 - says what is the case
    """The person is in a programme already, here or elsewhere."""


class Incomplete(Exception):  # noqa: N818 - says what is the case
    """The participation cannot be discharged yet."""


class Stale(Exception):  # noqa: N818 - says what is the case
    """Something has changed since the question was put."""


class Unfinished(Exception):  # noqa: N818 - says what is the case
    """The page cannot be gone on from; `page` is what was sent, with what others have changed meanwhile."""

    def __init__(self, page: "Page") -> None:
        super().__init__(page.step.name)
        self.page = page


@dataclass(frozen=True)
class Clash:
    """One answer, to the question `key`, that two people changed: who was first, when, to what (as JSON)."""

    key: str
    username: str
    at: datetime
    value: Any


class Conflict(Exception):  # noqa: N818 - says what is the case
    """Answers that somebody else has changed since the form was opened, by the key of the question where
    that is to be said; `page` is what was sent, with the other's answers where only the other has changed."""

    def __init__(self, clashes: dict[str, Clash], page: "Page") -> None:
        super().__init__(", ".join(clashes))
        self.clashes = clashes
        self.page = page


def name_key(name: str) -> str:
    """The stored key that names are sorted by; cut, since an index entry has its limits."""
    return sort_key(name)[:1000]


def today() -> date:
    """The day it is in Norway."""
    return datetime.now(OSLO_TIME).date()


def values_of(participation: Participation) -> dict[str, Any]:
    """All answers by question key, and the facts that rules read beside them."""
    answers: dict[str, Any] = {
        key: getattr(participation, _COLUMN.get(key, key)) for key in FIELDS if key not in ROW_KEYS
    }
    for key in ROW_KEYS:
        rows = getattr(participation, key)
        answers[key] = [{f.key: getattr(row, f.key) for f in _rows_field(key).fields} for row in rows] or None
    return answers | facts_of(participation)


def facts_of(participation: Participation) -> dict[str, Any]:
    """What rules need to know besides the answers."""
    return {
        "today": today(),
        "municipality": participation.municipality_number,
        "birth_date": participation.person.birth_date,
        "sex": participation.person.sex,
    }


def _rows_field(key: str) -> RowsField:
    return next(q for q in PROGRAMME.fields if isinstance(q, RowsField) and q.key == key)


@dataclass
class Page:
    """A page as it was sent or as it stands: what is in its controls, what it means, what is wrong.

    `answers` are all answers of the participation with this page's on top; where one cannot be
    registered (`unread`), the one that is registered stands. `errors` are by control name.
    """

    step: Step
    raw: dict[str, Raw]
    answers: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)

    @property
    def missing(self) -> list[Field]:
        """The questions that must be answered before going on, and are not."""
        return [question for question in self.step.missing(self.answers) if question.key not in self.unread]

    @property
    def warnings(self) -> dict[str, str]:
        """Remarks by question key."""
        return self.step.warnings(self.answers)

    @property
    def problems(self) -> dict[str, str]:
        """Errors, and what is missing, in words by control name, in the order of the page."""
        said = self.errors | {question.key: question.when_missing for question in self.missing}
        order = [
            name for question in self.step.fields for name in (question.key, *question.names(self.raw[question.key]))
        ]
        return {name: said[name] for name in dict.fromkeys(order) if name in said}

    @property
    def is_complete(self) -> bool:
        """True when one may go on from the page."""
        return not self.errors and not self.missing

    @property
    def is_ours(self) -> bool:
        """True if our own form can have sent this, right or wrong."""
        return all(question.offers(self.raw[question.key]) for question in self.step.fields)

    def refuse(self, key: str, errors: dict[str, str], registered: Values) -> None:
        """Let an answer count as not given: what is registered stands."""
        if key not in self.unread:
            self.unread.add(key)
            self.errors |= errors
            self.answers[key] = registered.get(key)

    def names(self) -> set[str]:
        """The names of all controls that the page can hold."""
        return {name for question in self.step.fields for name in question.names(self.raw[question.key])}

    def page_values(self) -> dict[str, Any]:
        """The page's own answers."""
        return {question.key: self.answers.get(question.key) for question in self.step.fields}


def read_page(step: Step, form: FormData, base: Values) -> Page:
    """The page that was sent. `base` holds the answers of the other pages and the facts."""
    return _page(step, {question.key: question.read(form) for question in step.fields}, base)


def _page(step: Step, raw: dict[str, Raw], base: Values) -> Page:
    page = Page(step=step, raw=raw, answers=dict(base))
    illegible: dict[str, dict[str, str]] = {}
    for question in step.fields:
        try:
            page.answers[question.key] = question.parse(raw[question.key])
        except Invalid as invalid:
            illegible[question.key] = invalid.errors
    page.answers |= step.pruned(page.answers)
    for question in step.visible(page.answers):
        if question.key in illegible:
            page.refuse(question.key, illegible[question.key], base)
    for key, message in step.checks(page.answers).items():
        page.refuse(key, {key: message}, base)
    if step.always_answered:  # what a participation cannot be without is never emptied in the register
        for question in page.missing:
            page.refuse(question.key, {question.key: question.when_missing}, base)
    return page


def page_of(participation: Participation, step: Step) -> Page:
    """The page as it stands: the registered answers, and over them what is kept as typed."""
    values = values_of(participation)
    drafts = {draft.field: draft.raw for draft in drafts_of(participation)}
    page = _page(step, {q.key: drafts.get(q.key, q.raw(values[q.key])) for q in step.fields}, values)
    for question in step.visible(page.answers):
        if question.key in drafts:  # it may have become right by what was changed elsewhere
            said = {question.key: _("Svaret er ikke lagret ennå. Gå videre for å lagre det")}
            page.refuse(question.key, said, values)
    return page


def drafts_of(participation: Participation) -> list[DraftValue]:
    """What was typed and could not be registered."""
    return list(session().scalars(select(DraftValue).where(DraftValue.participation_ref == participation.id)))


def new_creation_key() -> str:
    """A key for a form that creates, so that sending it twice creates once."""
    return secrets.token_hex(16)


def created_with(viewer: Viewer, creation_key: str) -> str | None:
    """The public id of what this user has created with that key already, if anything."""
    return session().scalar(
        select(Participation.public_id).where(
            Participation.creation_key == creation_key, Participation.created_by == viewer.username
        )
    )


def create(
    viewer: Viewer,
    *,
    person: PersonRecord,
    results: list[TestResult] | None,
    municipality_number: str,
    page: Page,
    creation_key: str,
) -> str:
    """Create a participation from page 1 and give its public id.

    `results` are PAD's, or `None` if they could not be fetched. Raises `AlreadyRunning`; a second
    call with the same key gives the id that the first one made.
    """
    if not viewer.registers_in(municipality_number) or not page.is_complete:
        raise NotAllowed(municipality_number)
    try:
        with writing() as work:
            public_id = _insert(work, viewer, person, results, municipality_number, page, creation_key)
    except IntegrityError as error:
        if first := created_with(viewer, creation_key):
            return first
        raise AlreadyRunning from error
    return public_id


def _insert(
    work: Session,
    viewer: Viewer,
    record: PersonRecord,
    results: list[TestResult] | None,
    municipality_number: str,
    page: Page,
    creation_key: str,
) -> str:
    moment = now()
    person = work.scalar(select(Person).where(Person.national_id == record.national_id))
    if person is None:
        person = Person(national_id=record.national_id, person_id=_new_person_id(work))
        work.add(person)
    update_person(person, record, moment)
    if results is not None:
        update_results(person, results, moment)
    work.flush()
    protected = person.protection is not None
    work.execute(update(Participation).where(Participation.person_ref == person.id).values(protected=protected))
    municipality = work.get_one(Municipality, municipality_number)
    participation = Participation(
        public_id=secrets.token_urlsafe(12),
        person_ref=person.id,
        creation_key=creation_key,
        person_id=person.person_id,
        national_id=person.national_id,
        name=person.name,
        name_key=name_key(person.name),
        protected=protected,
        municipality_number=municipality.number,
        municipality_key=municipality.name_key,
        status=Status.CREATED,
        version=1,
        created_at=moment,
        created_by=viewer.username,
        changed_at=moment,
        changed_by=viewer.username,
        person=person,
    )
    _set_answers(participation, page.page_values())
    _count_missing(participation)
    work.add(participation)
    work.flush()
    for question in PERSON.fields:
        value = page.answers.get(question.key)
        if value is not None:
            work.add(change_row(participation, viewer.username, question.key, None, question.to_json(value)))
    note(Action.CREATE, user_id=viewer.user_id, participation=participation.id)
    return participation.public_id


def _new_person_id(work: Session) -> str:
    """Eight digits that begin with 9 (no fødselsnummer does), not given to anybody before."""
    while True:
        candidate = f"9{secrets.randbelow(10**7):07d}"
        if work.scalar(select(Person.id).where(Person.person_id == candidate)) is None:
            return candidate


def update_person(person: Person, record: PersonRecord, moment: datetime) -> None:
    """Take over what Folkeregisteret says."""
    person.name = record.full_name
    person.birth_date = record.birth_date
    person.sex = record.sex
    person.arrival_year = record.arrival_year
    person.birth_country = record.birth_country
    person.marital_status = record.marital_status
    person.protection = record.protection
    person.freg_fetched_at = moment


def update_results(person: Person, results: list[TestResult], moment: datetime) -> None:
    """Take over PAD's test results."""
    person.test_results = [
        {
            "test": result.test,
            "part": result.part,
            "date": result.date.isoformat(),
            "result": result.result,
            "written_form": result.written_form,
        }
        for result in results
    ]
    person.pad_fetched_at = moment


def store_results(person_ref: int, results: list[TestResult]) -> None:
    """Keep what PAD has answered for a person."""
    with writing() as work:
        update_results(work.get_one(Person, person_ref), results, now())


def save(viewer: Viewer, public_id: str, page: Page, *, seen: int, keep_unread: bool = False) -> Participation:
    """Save a page of a participation, if it is complete; with `keep_unread` as far as it can be, and what
    cannot be registered is kept beside as typed.

    `seen` is the version that the form showed. Raises `Unfinished`, `Conflict`, `NoSuchParticipant`,
    `NotAllowed`. Saving what stands there already changes nothing, neither status nor «Sist endret».
    """
    with writing() as work:
        participation = locked(work, viewer, public_id)
        current = values_of(participation)
        page = _settle(participation, _page(page.step, page.raw, current), current, seen)
        if not (keep_unread or page.is_complete):
            raise Unfinished(page)
        wanted = _without_unasked(page.answers)
        changed = {key: wanted[key] for key in FIELDS if wanted[key] != current[key]}
        redrafted = _keep_drafts(work, viewer, participation, page, current, is_late=seen < participation.version)
        if changed or redrafted:
            participation.version += 1
        if changed:
            _change(work, viewer, participation, current, changed)
        _count_missing(participation)
    return participation


def _change(work: Session, viewer: Viewer, participation: Participation, current: Values, changed: Values) -> None:
    """Register other answers, with their history."""
    for key, value in changed.items():
        question = FIELDS[key]
        old, new = question.to_json(current[key]), question.to_json(value)
        work.add(change_row(participation, viewer.username, key, old, new))
    _set_answers(participation, changed)
    participation.status = Status.ENDED if participation.end_date else Status.CHANGED
    participation.changed_at, participation.changed_by = now(), viewer.username
    note(
        Action.CHANGE, user_id=viewer.user_id, participation=participation.id, detail={"fields": sorted(changed)}
    )


def _without_unasked(answers: Values) -> dict[str, Any]:
    """The answers of all pages, without those of questions that are not asked (any more)."""
    kept = dict(answers)
    for step in STEPS:
        kept |= step.pruned(kept)
    return kept


def _settle(participation: Participation, page: Page, current: Values, seen: int) -> Page:
    """The page after weighing it against what others have changed since `seen`."""
    first, last = _changes_since(participation, seen)
    raw = dict(page.raw)
    clashing: set[str] = set()
    for question in page.step.fields:
        key, mine = question.key, page.answers[question.key]
        if key not in first or key in page.unread or mine == current[key]:
            continue
        if question.to_json(mine) == first[key].old:  # not touched here: the other's answer stands
            raw[key] = question.raw(current[key])
        else:
            clashing.add(key)
    if not raw == page.raw and not clashing:
        page = _page(page.step, raw, current)
    if clashing:
        clashes = _clashes(page, clashing, current, last)
        raw |= {key: page.raw[key] for key in clashes}
        raise Conflict(clashes, _page(page.step, raw, current))
    return page


def _clashes(page: Page, clashing: set[str], current: Values, last: dict[str, Change]) -> dict[str, Clash]:
    """Where to say that two people changed the same. A question that one of them has taken away is spoken
    of where that was done, so that both answers can be seen."""
    found: dict[str, Clash] = {}
    asked = {question.key for question in page.step.visible(page.answers)}
    for question in reversed(page.step.fields):  # a question stands after those it hangs on
        key = question.key
        if key not in clashing:
            continue
        clash = Clash(key, last[key].username, last[key].at, last[key].new)
        above = [other.key for other in page.step.fields if other.key in question.shown.keys and other.key != key]
        if key in asked:
            found[key] = clash
            clashing |= {k for k in above if k in last and page.answers[k] != current[k]}
        else:
            found |= {k: clash for k in above if k not in clashing}
    return found


def _changes_since(participation: Participation, seen: int) -> tuple[dict[str, Change], dict[str, Change]]:
    """The first and the last change of each question after a version."""
    changes = session().scalars(
        select(Change)
        .where(Change.participation_ref == participation.id, Change.version > seen)
        .order_by(Change.version, Change.id)
    )
    first: dict[str, Change] = {}
    last: dict[str, Change] = {}
    for change in changes:
        first.setdefault(change.field, change)
        last[change.field] = change
    return first, last


def _set_answers(participation: Participation, answers: Values) -> None:
    for key, value in answers.items():
        if key in ROW_KEYS:
            model = _ROW_MODELS[key]
            number = participation.municipality_number
            rows = [model(position=i, municipality_number=number, **row) for i, row in enumerate(value or [])]
            setattr(participation, key, rows)
        else:
            setattr(participation, _COLUMN.get(key, key), value)
        if key == "district":
            name = FIELDS["district"].text(value)
            participation.district_key = sort_key(name) if name else None


def _keep_drafts(
    work: Session, viewer: Viewer, participation: Participation, page: Page, current: Values, *, is_late: bool
) -> bool:
    """Renew what is kept as typed for a page; gives whether that changes anything.

    What somebody has typed after this form was opened (`is_late`) stays, unless this one answers the same.
    """
    kept = {draft.field: draft for draft in drafts_of(participation)}
    before = {key: draft.raw for key, draft in kept.items()}
    for key in (question.key for question in page.step.fields):
        draft, is_answered = kept.get(key), page.answers[key] != current[key]
        if key in page.unread:
            if draft is None:
                number = participation.municipality_number
                draft = DraftValue(participation_ref=participation.id, municipality_number=number, field=key)
                work.add(draft)
            if draft.raw != page.raw[key]:
                draft.raw, draft.username, draft.at = page.raw[key], viewer.username, now()
        elif draft is not None and (is_answered or not is_late):
            work.delete(draft)
    work.flush()
    return before != {draft.field: draft.raw for draft in drafts_of(participation)}


def missing_on(step: Step, values: Values, drafts: set[str]) -> int:
    """How many questions of a page must still be answered, or answered so that it can be registered."""
    refused = (drafts & {question.key for question in step.visible(values)}) | step.checks(values).keys()
    return len({question.key for question in step.missing(values)} | refused)


def _count_missing(participation: Participation) -> None:
    values = values_of(participation)
    drafts = {draft.field for draft in drafts_of(participation)}
    participation.background_missing = missing_on(BACKGROUND, values, drafts)
    participation.programme_missing = missing_on(PROGRAMME, values, drafts)


def _end_for_good(viewer: Viewer, participation: Participation) -> None:
    participation.version += 1
    participation.status = Status.DISCHARGED
    participation.name, participation.name_key = "", None
    participation.discharged_at = participation.changed_at = now()
    participation.discharged_by = participation.changed_by = viewer.username


def discharge(viewer: Viewer, public_id: str, *, seen: int) -> None:
    """End a participation for good: «Utskriv og registrer ferdig» (guide 4.4).

    Raises `Incomplete` while something is missing, `Stale` if anything has changed since the question
    was put, `NoSuchParticipant`, `NotAllowed`.
    """
    with writing() as work:
        participation = locked(work, viewer, public_id)
        if participation.version != seen:
            raise Stale
        if obstacles(participation):
            raise Incomplete
        work.execute(delete(DraftValue).where(DraftValue.participation_ref == participation.id))
        _end_for_good(viewer, participation)
        work.add(change_row(participation, viewer.username, "discharged", None, True))
        note(Action.DISCHARGE, user_id=viewer.user_id, participation=participation.id)


def obstacles(participation: Participation, sent: Page | None = None) -> dict[str, dict[str, str]]:
    """What stands in the way of discharge: for each page its questions, by control name, in words.
    `sent` is a page as it is being written, instead of the one that is registered."""
    found: dict[str, dict[str, str]] = {}
    for step in STEPS:
        page = sent if sent and sent.step is step else page_of(participation, step)
        end = page.answers.get("end_date")
        problems = dict(page.problems)
        if step is TERMINATION and end and end > page.answers["today"]:
            problems.setdefault("end_date", _("Dato for avslutning er ikke nådd ennå"))
        if problems:
            found[step.name] = problems
    return found


def results_of(person: Person) -> list[TestResult]:
    """The test results that PAD has given for a person; none if they were never fetched."""
    return [
        TestResult(
            test=row["test"],
            part=row["part"],
            date=date.fromisoformat(row["date"]),
            result=row["result"],
            written_form=row["written_form"],
        )
        for row in person.test_results or []
    ]


def with_rows(page: Page, key: str, raw: Raw) -> Page:
    """The page with other rows in a repeatable question, blank ones included."""
    return _page(page.step, {**page.raw, key: raw}, page.answers)


def json_text(question: Field, value: Any) -> str:
    """An answer as the history keeps it, in words."""
    return question.text(from_json(question, value))


def from_json(question: Field, value: Any) -> Any:
    """The value of an answer as the history keeps it."""
    if value is None:
        return None
    if isinstance(question, RowsField):
        return [{inner.key: from_json(inner, row.get(inner.key)) for inner in question.fields} for row in value]
    return date.fromisoformat(value) if isinstance(question, DateField) else value
