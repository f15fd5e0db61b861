"""What two people write at the same time, settled by versions.

A form carries the version that it showed; the history tells which answers others have changed since. An answer
that the form did not touch keeps the other's value; one that both changed is a clash.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import not_, select

from services.db import session
from services.fields import Values
from services.models import Change, Participation
from services.registration import Page, page_again
from services.steps import FIELDS


class NoSuchVersion(ValueError):  # noqa: N818 - says what is the case
    """No form can have shown that version."""


@dataclass(frozen=True)
class Clash:
    """One answer, to the question `key`, that two people changed: who was first, when, to what (as JSON). `is_own`: the
    user did, in the form that was left before this one."""

    key: str
    username: str
    at: datetime
    value: Any
    is_own: bool = False


@dataclass(frozen=True)
class Shown:
    """What a form on screen showed: which version, and which form it is (`key`, none if it says none).

    What the very form has changed itself is known to it, though the answer may have been lost on the way. `after`:
    the user's form that was left before this one; what it changed after this one was shown is the user's own.
    """

    version: int
    key: str | None = None
    after: str | None = None
    untouched: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Settled:
    """A page after weighing it against what others have changed: `theirs` are the questions whose answers it takes
    over from them, `clashes` those that both have changed, where the page still says what was sent."""

    page: Page
    theirs: dict[str, Clash]
    clashes: dict[str, Clash]


def settle(participation: Participation, page: Page, current: Values, shown: Shown, username: str) -> Settled:
    """Weigh a page that was sent against what others have changed since it was shown.

    Raises `NoSuchVersion` for a version that does not exist yet.
    """
    if shown.version > participation.version:
        raise NoSuchVersion(shown.version)
    if shown.version == participation.version:
        return Settled(page, {}, {})
    first, last = _changes_since(participation, shown, username)
    left = _changed_when_left(participation, shown, username)
    raw = dict(page.raw)
    clashing: set[str] = set()
    theirs: dict[str, Clash] = {}
    for question in page.step.fields:
        key, mine = question.key, page.answers[question.key]
        if key in first and key in shown.untouched:
            theirs[key] = replace(_clash(last[key]), is_own=key in left)
            continue
        if key not in first or key in page.unread or mine == current[key]:
            continue
        if question.to_json(mine) == first[key].old:  # not touched here: the other's answer stands
            raw[key] = question.raw(current[key])
            theirs[key] = replace(_clash(last[key]), is_own=key in left)
        elif key not in left:
            clashing.add(key)
    clashes = _places(page, clashing, current, last)
    if clashes:
        asked = {question.key for question in page.asked}
        raw |= {key: page.raw[key] if key in asked else FIELDS[key].raw(current[key]) for key in clashes}
    return Settled(page_again(page, raw, current), theirs, clashes)


def _clash(change: Change, key: str | None = None) -> Clash:
    return Clash(key or change.field, change.username, change.at, change.new)


def _places(page: Page, clashing: set[str], current: Values, last: dict[str, Change]) -> dict[str, Clash]:
    """Where to say that two people changed the same. A question that one of them has taken away is spoken
    of where that was done, so that both answers can be seen."""
    found: dict[str, Clash] = {}
    asked = {question.key for question in page.asked}
    for question in reversed(page.step.fields):  # a question stands after those it hangs on
        key = question.key
        if key not in clashing:
            continue
        clash = _clash(last[key])
        above = [other.key for other in page.step.fields if other.key in question.shown.keys and other.key != key]
        if key in asked:
            found[key] = clash
            clashing |= {k for k in above if k in last and page.answers[k] != current[k]}
        else:
            found |= {k: clash for k in above if k not in clashing} if above else {key: clash}
    return found


def _changes_since(
    participation: Participation, shown: Shown, username: str
) -> tuple[dict[str, Change], dict[str, Change]]:
    """The first and the last change of each question after a version, without the form's own."""
    wanted = (Change.participation_ref == participation.id) & (Change.version > shown.version)
    if shown.key is not None:
        own = (Change.form_key == shown.key) & (Change.username == username)
        wanted &= not_(own) | Change.form_key.is_(None)
    first: dict[str, Change] = {}
    last: dict[str, Change] = {}
    for change in session().scalars(select(Change).where(wanted).order_by(Change.version, Change.id)):
        first.setdefault(change.field, change)
        last[change.field] = change
    return first, last


def _changed_when_left(participation: Participation, shown: Shown, username: str) -> set[str]:
    """The questions that nobody but the user's form before this one has changed since this one was shown."""
    if shown.after is None:
        return set()
    wanted = (Change.participation_ref == participation.id) & (Change.version > shown.version)
    changes = session().execute(select(Change.field, Change.form_key, Change.username).where(wanted))
    by: dict[str, set[bool]] = {}
    for key, form_key, who in changes:
        if shown.key is None or (form_key, who) != (shown.key, username):
            by.setdefault(key, set()).add((form_key, who) == (shown.after, username))
    return {key for key, is_own in by.items() if is_own == {True}}


def last_changes(
    participation: Participation, keys: Iterable[str], *, form_key: str | None = None
) -> dict[str, Change]:
    """The last change of each of some questions; with a key only what that form has changed."""
    wanted = (Change.participation_ref == participation.id) & Change.field.in_(list(keys))
    if form_key is not None:
        wanted &= Change.form_key == form_key
    rows = session().scalars(select(Change).where(wanted).order_by(Change.version, Change.id))
    return {change.field: change for change in rows}


def registered_as(participation: Participation, keys: Iterable[str]) -> dict[str, Clash]:
    """Who gave the registered answers to some questions, when, and what they are: beside what is undecided."""
    return {key: _clash(change) for key, change in last_changes(participation, keys).items()}
