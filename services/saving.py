"""Saving a page of a participation, and discharging her.

What two people write at the same time is settled by versions. A form carries the version that it
showed; the history tells which answers have changed since. An answer that the form did not touch
keeps the other's value; one that both changed is a `Conflict` and nothing is saved. Whether a page is
right is weighed on what then stands there, within the transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from services.audit import Action, note
from services.db import now, session, writing
from services.fields import Values
from services.i18n import gettext as _
from services.models import Change, DraftValue, Participation, Status
from services.participants import locked, note_changes
from services.registration import (
    Page,
    count_missing,
    page_again,
    pages_of,
    set_answers,
    values_of,
)
from services.steps import FIELDS, STEPS, TERMINATION
from services.viewer import Viewer


class Incomplete(Exception):  # noqa: N818 - says what is the case
    """The participation cannot be discharged yet."""


class Stale(Exception):  # noqa: N818 - says what is the case
    """Something has changed since the question was put."""


class NoSuchVersion(ValueError):  # noqa: N818 - says what is the case
    """No form can have shown that version."""


class Unfinished(Exception):  # noqa: N818 - says what is the case
    """The page cannot be gone on from; `page` is what was sent, with what others have changed up to `version`."""

    def __init__(self, page: Page, version: int) -> None:
        super().__init__(page.step.name)
        self.page = page
        self.version = version


@dataclass(frozen=True)
class Clash:
    """One answer, to the question `key`, that two people changed: who was first, when, to what (as JSON)."""

    key: str
    username: str
    at: datetime
    value: Any


class Conflict(Exception):  # noqa: N818 - says what is the case
    """Answers that somebody else has changed since the form was opened, by the key of the question where
    that is to be said; `page` is what was sent, with what only others have changed up to `version`."""

    def __init__(self, clashes: dict[str, Clash], page: Page, version: int) -> None:
        super().__init__(", ".join(clashes))
        self.clashes = clashes
        self.page = page
        self.version = version


def save(viewer: Viewer, public_id: str, page: Page, *, seen: int, keep_unread: bool = False) -> Participation:
    """Save a page of a participation, if it is complete; with `keep_unread` as far as it can be, and what
    cannot be registered is kept beside as typed.

    `page` need not be read yet: it is read here, over what then stands there. `seen` is the version that the form
    showed. Raises `Unfinished`, `Conflict`, `NoSuchParticipant`, `NotAllowed`, `NoSuchVersion`. Saving what stands
    there already changes nothing, neither status nor «Sist endret».
    """
    with writing() as work:
        participation = locked(work, viewer, public_id)
        if seen > participation.version:
            raise NoSuchVersion(seen)
        current = values_of(participation)
        page = page_again(page, page.raw, current)
        is_late = seen < participation.version
        if is_late:
            page = _settle(participation, page, current, seen)
        if not (keep_unread or page.is_complete):
            raise Unfinished(page, participation.version)
        wanted = _without_unasked(page.answers)
        changed = {key: wanted[key] for key in FIELDS if wanted[key] != current[key]}
        redrafted = _keep_drafts(viewer, participation, page, current, is_late=is_late)
        if changed or redrafted:
            participation.version += 1
        if changed:
            _change(viewer, participation, current, changed)
        count_missing(participation)
    return participation


def _change(viewer: Viewer, participation: Participation, current: Values, changed: Values) -> None:
    """Register other answers, with their history."""
    both = ((FIELDS[key], current[key], value) for key, value in changed.items())
    changes = [(question.key, question.to_json(old), question.to_json(new)) for question, old, new in both]
    note_changes(participation, viewer.username, changes)
    set_answers(participation, changed)
    participation.status = Status.ENDED if participation.end_date else Status.CHANGED
    participation.changed_at, participation.changed_by = now(), viewer.username
    note(Action.CHANGE, user_id=viewer.user_id, participation=participation.id, detail={"fields": sorted(changed)})


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
    if clashing:
        clashes = _clashes(page, clashing, current, last)
        asked = {question.key for question in page.asked}
        raw |= {key: page.raw[key] if key in asked else FIELDS[key].raw(current[key]) for key in clashes}
        raise Conflict(clashes, page_again(page, raw, current), participation.version)
    return page_again(page, raw, current)


def _clashes(page: Page, clashing: set[str], current: Values, last: dict[str, Change]) -> dict[str, Clash]:
    """Where to say that two people changed the same. A question that one of them has taken away is spoken
    of where that was done, so that both answers can be seen."""
    found: dict[str, Clash] = {}
    asked = {question.key for question in page.asked}
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
            found |= {k: clash for k in above if k not in clashing} if above else {key: clash}
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


def _keep_drafts(viewer: Viewer, participation: Participation, page: Page, current: Values, *, is_late: bool) -> bool:
    """Renew what is kept as typed for a page; gives whether that changes anything.

    What somebody has typed after this form was opened (`is_late`) stays where this form has changed nothing.
    """
    kept = {draft.field: draft for draft in participation.drafts}
    before = {key: draft.raw for key, draft in kept.items()}
    for key in (question.key for question in page.step.fields):
        draft, is_answered = kept.get(key), page.answers[key] != current[key]
        if key in page.unread:
            if draft is None:
                draft = DraftValue(municipality_number=participation.municipality_number, field=key)
                participation.drafts.append(draft)
            if draft.raw != page.raw[key]:
                draft.raw, draft.username, draft.at = page.raw[key], viewer.username, now()
        elif draft is not None and (is_answered or not is_late):
            participation.drafts.remove(draft)
    return before != {draft.field: draft.raw for draft in participation.drafts}


def _end_for_good(viewer: Viewer, participation: Participation) -> None:
    participation.version += 1
    participation.status = Status.DISCHARGED
    participation.name, participation.name_key, participation.name_words = "", None, ""
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
        if obstacles(pages_of(participation)):
            raise Incomplete
        participation.drafts.clear()
        _end_for_good(viewer, participation)
        note_changes(participation, viewer.username, [("discharged", None, True)])
        note(Action.DISCHARGE, user_id=viewer.user_id, participation=participation.id)


def obstacles(pages: Mapping[str, Page]) -> dict[str, dict[str, str]]:
    """What stands in the way of discharge: for each page its questions, by control name, in words."""
    found = {name: dict(page.problems) for name, page in pages.items()}
    answers = pages[TERMINATION.name].answers
    if answers["end_date"] and answers["end_date"] > answers["today"]:
        found[TERMINATION.name].setdefault("end_date", _("Dato for avslutning er ikke nådd ennå"))
    return {name: problems for name, problems in found.items() if problems}
