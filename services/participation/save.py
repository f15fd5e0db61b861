"""Saving a page of a participation, automatically or as a whole, and discharging the participant.

The page is validated as merged, within the transaction. For simultaneous changes, see `services.participation.merge`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from services.access.audit import Action, note
from services.access.viewer import Viewer
from services.core.db import later_than, now, session, writing
from services.core.i18n import gettext as _
from services.core.row_keys import key_of
from services.core.status import Status
from services.participation.answers import count_missing, set_answers, values_of
from services.participation.find import locked
from services.participation.history import note_changes
from services.participation.left_saves import note_handled
from services.participation.merge import Clash, Settled, registered_as, settle
from services.participation.page import Page, page_again, pages_of, parts_of_mark, raw_standing
from services.participation.row_merge import rows_by_key
from services.participation.sent_form import Choice, SentForm, ShownForm
from services.questions.fields import Raw, Values
from services.questions.pages import FIELDS, STEPS, TERMINATION
from services.questions.row_fields import AFTER, RowsField, is_blank_row
from services.tables.participants import Change, DraftValue, Participation

MOST_TYPED = 64_000  # bytes of drafts for a page and a user


class TooMuchTyped(Exception):
    """The values that cannot be registered exceed the limit for a page and a user."""


class Incomplete(Exception):
    """The participation cannot be discharged yet."""


class StaleParticipation(Exception):
    """The participation has changed since the confirmation was shown."""


class Unfinished(Exception):
    """The page is not complete; `page` is what was sent, merged with changes by others up to `version`."""

    def __init__(self, page: Page, version: int) -> None:
        super().__init__(page.step.name)
        self.page = page
        self.version = version


class Conflict(Exception):
    """Conflicts with changes by others since the form was shown, by the key of the field at which to show them; `page`
    is what was sent, merged with changes by others up to `version`."""

    def __init__(self, settled: Settled, version: int) -> None:
        super().__init__(", ".join(settled.clashes))
        self.clashes = settled.clashes
        self.page = settled.page
        self.version = version


@dataclass(frozen=True)
class Saved:
    """The result of saving a whole page. `removed`: fields whose answers were removed by changes of others."""

    participation: Participation
    removed: tuple[str, ...]


@dataclass(frozen=True)
class AutosaveResult:
    """The result of an automatic save.

    `page`: the page as it is now; values that could not be registered are in its `unread`. `theirs`: changes taken over
    from other users; `clashes`: undecided conflicts by mark. `removed`: fields, also of other pages, whose answers this
    save has removed by changing other fields; `put_back`: fields of the page whose earlier answers were restored.
    """

    participation: Participation
    page: Page
    theirs: dict[str, Clash]
    clashes: dict[str, Clash]
    removed: tuple[str, ...] = ()
    put_back: frozenset[str] = frozenset()


def save(viewer: Viewer, public_id: str, form: SentForm, *, keep_unread: bool = False) -> Saved:
    """Save a whole page if it is complete; with `keep_unread` as far as possible, and invalid values are kept as
    drafts. On any conflict nothing is saved.

    The page is parsed here, over the current answers. Saving unchanged values changes nothing, neither status nor «Sist
    endret». Raises `Unfinished`, `Conflict`, `NoSuchParticipant`, `NotAllowed`, `NoSuchVersion`, `TooMuchTyped`.
    """
    with writing() as work:
        participation = locked(work, viewer, public_id)
        current = values_of(participation)
        page = _with_unsent_fields(viewer, participation, form.page, current)
        page = page_again(page, _raw_restored(participation, page, current), current)
        settled = settle(participation, page, current, form.shown, viewer.username)
        if settled.clashes:
            raise Conflict(settled, participation.version)
        for mark in form.untold:
            settled.page.undecide(mark, current)
        if not (keep_unread or settled.page.is_complete):
            raise Unfinished(settled.page, participation.version)
        removed = _register(viewer, participation, settled.page, current, form.shown)
    return Saved(participation, removed)


def keep(viewer: Viewer, public_id: str, form: SentForm) -> AutosaveResult:
    """Save a page automatically: register valid values, and keep the others, and those in conflict, as drafts. Raises
    `NoSuchParticipant`, `NotAllowed`, `NoSuchVersion`, `TooMuchTyped`.

    The page may contain only some fields; the others stay unchanged. A request whose response nobody reads is recorded
    as handled. Saving again changes nothing.
    """
    choice = form.choice
    with writing() as work:
        participation = locked(work, viewer, public_id)
        current = values_of(participation)
        page = _with_unsent_fields(viewer, participation, form.page, current)
        back = _raw_undone(viewer, participation, page, current, form.undone) if form.undone else {}
        raw = page.raw | (_raw_after_choice(page, choice, current) if choice else {}) | back
        page = page_again(page, raw, current)
        page = page_again(page, _raw_restored(participation, page, current), current)
        settled = settle(participation, page, current, form.shown, viewer.username)
        open_marks = form.undecided | _undecided_in_unsent_fields(viewer, participation, page) | settled.clashes.keys()
        open_marks -= {choice.mark} if choice else set()
        for mark in open_marks:
            settled.page.undecide(mark, current)
        removed = _register(viewer, participation, settled.page, current, form.shown)
        open_marks = frozenset(mark for mark in open_marks if _is_open(mark, settled.page))
        clashes = registered_as(participation, open_marks) | settled.clashes if open_marks else {}
        if form.left_as:
            note_handled(work, form.left_as, viewer.user_id, participation.id)
    return AutosaveResult(participation, settled.page, settled.theirs, clashes, removed, frozenset(back))


def _with_unsent_fields(viewer: Viewer, participation: Participation, page: Page, current: Values) -> Page:
    """The page that was sent, parsed, with stored values in fields that its form does not contain."""
    standing = raw_standing(participation, page.step, current, viewer.username)
    return page_again(page, {key: raw for key, raw in standing.items() if not page.holds(key)}, current)


def _undecided_in_unsent_fields(viewer: Viewer, participation: Participation, page: Page) -> set[str]:
    """The marks of the user's drafts in fields that this form does not contain."""
    own = [one for one in participation.drafts if one.username == viewer.username and not page.holds(one.field)]
    return {mark for draft in own if draft.field in page.keys for mark in draft.undecided or ()}


def _is_open(mark: str, page: Page) -> bool:
    """True if the conflict is still open: the row may have been removed meanwhile."""
    _key, _row, is_removed = parts_of_mark(mark)
    return mark in page.undecided or (is_removed and bool(page.control_of(mark)))


def _raw_after_choice(page: Page, choice: Choice, current: Values) -> dict[str, Raw]:
    """The raw values after a choice: the registered value replaces the user's, or fields that exclude the user's own
    are emptied."""
    question = FIELDS[choice.key]
    if choice.mine:
        return {other: [] for other in page.step.excluded_by(choice.mark)}
    if not isinstance(question, RowsField) or choice.mark == choice.key:
        return {choice.key: question.raw(current[choice.key])}
    _key, row, is_removed = parts_of_mark(choice.mark)
    if is_removed:  # the row is there already
        return {}
    stands = {key: question.raw_row(one) for key, one in rows_by_key(current[choice.key]).items()}
    rows = [stands.get(row) if key_of(one) == row else one for one in page.raw[choice.key]]
    return {choice.key: [one for one in rows if one is not None]}


def _raw_restored(participation: Participation, page: Page, current: Values) -> dict[str, Raw]:
    """Raw values of fields that are shown again: the registered answers before their removal."""
    back = _set_aside_for(participation, page.answers)
    return {key: FIELDS[key].raw(value) for key, value in back.items() if key in page.keys and not page.holds(key)}


def _set_aside_for(participation: Participation, answers: Values) -> dict[str, Any]:
    """The removed answers whose fields apply again."""
    back: dict[str, Any] = {}
    kept = participation.set_aside or {}
    for key, question in FIELDS.items():  # a field comes after those it depends on
        if key in kept and answers.get(key) is None:
            value = question.from_json(kept[key])
            if question.shown({**answers, **back, key: value}):
                back[key] = value
    return back


def _raw_undone(
    viewer: Viewer, participation: Participation, page: Page, current: Values, version: int
) -> dict[str, Raw]:
    """The raw values before a change of the user's, for fields that others depend on and that have not changed
    since."""
    wanted = (Change.participation_ref == participation.id, Change.version == version)
    changes = session().scalars(select(Change).where(*wanted, Change.username == viewer.username)).all()
    hung_on = {key for question in FIELDS.values() for key in question.shown.keys if key != question.key}
    return {
        change.field: FIELDS[change.field].raw(FIELDS[change.field].from_json(change.old))
        for change in changes
        if change.field in page.keys & hung_on
        and change.old is not None
        and FIELDS[change.field].to_json(current[change.field]) == change.new
    }


def _register(
    viewer: Viewer, participation: Participation, page: Page, current: Values, shown: ShownForm
) -> tuple[str, ...]:
    """Write changes with their history, and update drafts. Returns the fields whose answers were removed by other
    answers."""
    is_late = shown.version < participation.version
    wanted = _without_hidden_fields(page.answers | _restored_on_other_pages(participation, page))
    changed = {key: wanted[key] for key in FIELDS if wanted[key] != current[key]}
    removed = tuple(key for key in changed if wanted[key] is None and not FIELDS[key].shown(wanted))
    redrafted = _keep_drafts(viewer, participation, page, current, is_late=is_late)
    if changed or redrafted:
        participation.version += 1
    if changed:
        _change(viewer, participation, current, changed, shown.key)
        _set_aside(participation, current, wanted, removed)
    count_missing(participation)
    return removed


def _restored_on_other_pages(participation: Participation, page: Page) -> dict[str, Any]:
    back = _set_aside_for(participation, page.answers)
    return {key: value for key, value in back.items() if key not in page.keys}


def _set_aside(participation: Participation, current: Values, wanted: Values, removed: tuple[str, ...]) -> None:
    """Store removed answers for later, and delete those that were restored or answered anew."""
    kept = {key: value for key, value in (participation.set_aside or {}).items() if wanted[key] is None}
    kept |= {key: FIELDS[key].to_json(current[key]) for key in removed}
    participation.set_aside = kept or None


def _change(
    viewer: Viewer, participation: Participation, current: Values, changed: Values, form_key: str | None
) -> None:
    """Set changed answers, with their history."""
    both = ((FIELDS[key], current[key], value) for key, value in changed.items())
    changes = [(question.key, question.to_json(old), question.to_json(new)) for question, old, new in both]
    note_changes(participation, viewer.username, changes, form_key=form_key)
    set_answers(participation, changed)
    participation.status = Status.ENDED if participation.end_date else Status.CHANGED
    participation.changed_at = later_than(participation.changed_at)
    participation.changed_by = viewer.username
    note(Action.CHANGE, user_id=viewer.user_id, participation=participation.id, detail={"fields": sorted(changed)})


def _without_hidden_fields(answers: Values) -> dict[str, Any]:
    """The answers of all pages, without those of fields that do not apply."""
    visible = dict(answers)
    for step in STEPS:
        visible |= step.pruned(visible)
    return visible


def _keep_drafts(viewer: Viewer, participation: Participation, page: Page, current: Values, *, is_late: bool) -> bool:
    """Update the user's drafts of a page; returns whether that changes anything.

    Drafts that the user has typed after this form was shown (`is_late`) stay where this form has changed nothing.
    """
    own = {draft.field: draft for draft in participation.drafts if draft.username == viewer.username}
    before = _draft_contents(own.values())
    for question in page.step.fields:
        key, draft = question.key, own.get(question.key)
        if key in page.unread:
            if draft is None:
                number = participation.municipality_number
                draft = own[key] = DraftValue(municipality_number=number, username=viewer.username, field=key)
                participation.drafts.append(draft)
            undecided = sorted(mark for mark in page.undecided if parts_of_mark(mark)[0] == key)
            draft.undecided = undecided or None
            raw = _typed_rows(question, page) if isinstance(question, RowsField) else page.raw[key]
            if draft.raw != raw:
                draft.raw, draft.at = raw, now()
        elif draft is not None and page.holds(key) and (page.answers[key] != current[key] or not is_late):
            participation.drafts.remove(own.pop(key))
    typed = json.dumps([own[key].raw for key in own.keys() & page.keys], ensure_ascii=False)
    if len(typed.encode()) > MOST_TYPED:
        raise TooMuchTyped
    return before != _draft_contents(own.values())


def _typed_rows(question: RowsField, page: Page) -> Raw:
    """The typed rows of a page that are not registered, each with the row before it."""
    registered = {key: question.raw_row(row) for key, row in rows_by_key(page.answers[question.key]).items()}
    rows: Raw = []
    for before, row in zip([{}, *page.raw[question.key]], page.raw[question.key], strict=False):
        stands = registered.get(key_of(row))
        if not is_blank_row(row) and (
            stands is None or question.read_rows([row])[0] != question.read_rows([stands])[0]
        ):
            rows.append(row | {AFTER: [key_of(before)]})
    return rows


def _draft_contents(drafts: Iterable[DraftValue]) -> dict[str, tuple[Raw, list[str] | None]]:
    return {draft.field: (draft.raw, draft.undecided) for draft in drafts}


def _end_for_good(viewer: Viewer, participation: Participation) -> None:
    participation.version += 1
    participation.status = Status.DISCHARGED
    participation.name, participation.name_key, participation.name_words = "", None, ""
    participation.discharged_at = participation.changed_at = later_than(participation.changed_at)
    participation.discharged_by = participation.changed_by = viewer.username


def discharge(viewer: Viewer, public_id: str, *, seen: int) -> None:
    """End a participation for good: «Utskriv og registrer ferdig» (guide 4.4).

    Raises `Incomplete` if required fields are missing, `StaleParticipation` if it has changed since the confirmation
    was shown, `NoSuchParticipant`, `NotAllowed`.
    """
    with writing() as work:
        participation = locked(work, viewer, public_id)
        if participation.version != seen:
            raise StaleParticipation
        if obstacles(pages_of(participation, username=viewer.username)):
            raise Incomplete
        participation.drafts.clear()
        participation.set_aside = None
        count_missing(participation)  # drafts of others had counted
        _end_for_good(viewer, participation)
        note_changes(participation, viewer.username, [("discharged", None, True)])
        note(Action.DISCHARGE, user_id=viewer.user_id, participation=participation.id)


def obstacles(pages: Mapping[str, Page]) -> dict[str, dict[str, str]]:
    """The problems that prevent discharge: messages by control name, for each page."""
    found = {name: dict(page.problems) for name, page in pages.items()}
    answers = pages[TERMINATION.name].answers
    if answers["end_date"] and answers["end_date"] > answers["today"]:
        found[TERMINATION.name].setdefault("end_date", _("Dato for avslutning er ikke nådd ennå"))
    return {name: problems for name, problems in found.items() if problems}
