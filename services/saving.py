"""Saving a page of a participation: as one types, and whole; and discharging her.

Whether a page is right is weighed on what then stands there, within the transaction. What two people write at the
same time: `services.conflicts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.audit import Action, note
from services.conflicts import Clash, Settled, Shown, last_changes, registered_as, settle
from services.db import now, writing
from services.fields import Raw, Values
from services.history import note_changes
from services.i18n import gettext as _
from services.left_saves import note_handled
from services.models import DraftValue, Participation, Status
from services.participants import locked
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


class Unfinished(Exception):  # noqa: N818 - says what is the case
    """The page cannot be gone on from; `page` is what was sent, with what others have changed up to `version`."""

    def __init__(self, page: Page, version: int) -> None:
        super().__init__(page.step.name)
        self.page = page
        self.version = version


class Conflict(Exception):  # noqa: N818 - says what is the case
    """Answers that somebody else has changed since the form was opened, by the key of the question where
    that is to be said; `page` is what was sent, with what only others have changed up to `version`."""

    def __init__(self, settled: Settled, version: int) -> None:
        super().__init__(", ".join(settled.clashes))
        self.clashes = settled.clashes
        self.page = settled.page
        self.version = version


@dataclass(frozen=True)
class Kept:
    """What became of a page that was sent as one types.

    `page` is what stands there now; what could not be registered is in its `unread`. `theirs`: answers taken over
    from others; `clashes`: what others have answered where nobody has chosen yet.
    """

    participation: Participation
    page: Page
    theirs: dict[str, Clash]
    clashes: dict[str, Clash]


@dataclass(frozen=True)
class Choice:
    """Which of two answers to the question `key` shall stand: one's own, or the registered one."""

    key: str
    mine: bool


def save(
    viewer: Viewer,
    public_id: str,
    page: Page,
    *,
    shown: Shown,
    keep_unread: bool = False,
    undecided: frozenset[str] = frozenset(),
) -> Participation:
    """Save a whole page of a participation, if it is complete; with `keep_unread` as far as it can be, and what
    cannot be registered is kept beside as typed. One clash, and nothing is saved.

    `page` need not be read yet: it is read here, over what then stands there. `undecided`: questions that two have
    answered and nobody has chosen about. Raises `Unfinished`, `Conflict`, `NoSuchParticipant`, `NotAllowed`,
    `NoSuchVersion`. Saving what stands there already changes nothing, neither status nor «Sist endret».
    """
    with writing() as work:
        participation = locked(work, viewer, public_id)
        current = values_of(participation)
        settled = settle(participation, page_again(page, page.raw, current), current, shown, viewer.username)
        if settled.clashes:
            raise Conflict(settled, participation.version)
        for key in undecided:
            settled.page.undecide(key, current)
        if not (keep_unread or settled.page.is_complete):
            raise Unfinished(settled.page, participation.version)
        _register(viewer, participation, settled.page, current, shown)
    return participation


def keep(
    viewer: Viewer,
    public_id: str,
    page: Page,
    *,
    shown: Shown,
    drawn: frozenset[str] = frozenset(),
    undecided: frozenset[str] = frozenset(),
    choice: Choice | None = None,
    sent_as: str | None = None,
) -> Kept:
    """Save of a page what can be registered; the rest is kept as typed, and so is what clashes. For saving as one
    types. Raises `NoSuchParticipant`, `NotAllowed`, `NoSuchVersion`.

    `drawn`: the questions that come and go which stood in the form; the others were not answered there.
    `sent_as`: the key of a send of which nobody reads the answer; it is noted as handled.
    It may be sent twice: what stands there already changes nothing.
    """
    with writing() as work:
        participation = locked(work, viewer, public_id)
        current = values_of(participation)
        raw: dict[str, Raw] = dict(page.raw)
        if choice and not choice.mine:
            raw[choice.key] = FIELDS[choice.key].raw(current[choice.key])
        page = page_again(page, raw, current)
        page = page_again(page, _coming(participation, page, current, shown, drawn), current)
        settled = settle(participation, page, current, shown, viewer.username)
        open_questions = undecided - ({choice.key} if choice else set()) | settled.clashes.keys()
        for key in open_questions:
            settled.page.undecide(key, current)
        _register(viewer, participation, settled.page, current, shown)
        clashes = registered_as(participation, open_questions) | settled.clashes if open_questions else {}
        if sent_as:
            note_handled(work, sent_as, viewer.user_id, participation.id)
    return Kept(participation, settled.page, settled.theirs, clashes)


def _coming(
    participation: Participation, page: Page, current: Values, shown: Shown, drawn: frozenset[str]
) -> dict[str, Raw]:
    """What stands in questions that come into sight: what is registered, or was before this very form took the
    question away."""
    coming = [q for q in page.asked if q.shown.keys and q.key not in drawn and not any(page.raw[q.key])]
    gone = [q.key for q in coming if current[q.key] is None]
    before = last_changes(participation, gone, form_key=shown.key) if gone and shown.key else {}
    raw = {q.key: q.raw(current[q.key]) for q in coming}
    return raw | {key: FIELDS[key].raw(FIELDS[key].from_json(change.old)) for key, change in before.items()}


def _register(viewer: Viewer, participation: Participation, page: Page, current: Values, shown: Shown) -> None:
    """Write what has changed, with its history, and renew what is kept as typed."""
    is_late = shown.version < participation.version
    wanted = _without_unasked(page.answers)
    changed = {key: wanted[key] for key in FIELDS if wanted[key] != current[key]}
    redrafted = _keep_drafts(viewer, participation, page, current, is_late=is_late)
    if changed or redrafted:
        participation.version += 1
    if changed:
        _change(viewer, participation, current, changed, shown.key)
    count_missing(participation)


def _change(
    viewer: Viewer, participation: Participation, current: Values, changed: Values, form_key: str | None
) -> None:
    """Register other answers, with their history."""
    both = ((FIELDS[key], current[key], value) for key, value in changed.items())
    changes = [(question.key, question.to_json(old), question.to_json(new)) for question, old, new in both]
    note_changes(participation, viewer.username, changes, form_key=form_key)
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


def _keep_drafts(viewer: Viewer, participation: Participation, page: Page, current: Values, *, is_late: bool) -> bool:
    """Renew what is kept as typed for a page; gives whether that changes anything.

    What somebody has typed after this form was opened (`is_late`) stays where this form has changed nothing.
    """
    kept = {draft.field: draft for draft in participation.drafts}
    before = _as_kept(participation)
    for key in (question.key for question in page.step.fields):
        draft, is_answered = kept.get(key), page.answers[key] != current[key]
        if key in page.unread:
            if draft is None:
                draft = DraftValue(municipality_number=participation.municipality_number, field=key)
                participation.drafts.append(draft)
            draft.is_undecided = key in page.undecided
            if draft.raw != page.raw[key]:
                draft.raw, draft.username, draft.at = page.raw[key], viewer.username, now()
        elif draft is not None and (is_answered or not is_late):
            participation.drafts.remove(draft)
    return before != _as_kept(participation)


def _as_kept(participation: Participation) -> dict[str, tuple[Raw, bool]]:
    return {draft.field: (draft.raw, bool(draft.is_undecided)) for draft in participation.drafts}


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
