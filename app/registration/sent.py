"""Parsing the form of a page, once for each request."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import NoReturn

from flask import abort, request

from app.registration import forms
from app.registration.leaving import LEAVING_NAMES, has_no_key_of_ours, left_form, sent_while_leaving
from app.registration.rows import RowsChange, rows_change, undo_names
from app.web.access import viewer
from app.web.form_fields import EVERY_FORM
from services.participation.find import NotAllowed, find, may_change
from services.participation.page import Page, raw_page
from services.participation.sent_form import Choice, SentForm, ShownForm
from services.questions.pages import Step

VERSION_FIELD, _KEY_FIELD = "version", "form_key"  # of the participation and of the form, as they were shown
# The names that each form has, whatever its page asks.
_OWN_NAMES = forms.SCREEN_NAMES | EVERY_FORM | LEAVING_NAMES | {VERSION_FIELD, _KEY_FIELD}
_NO_VERSION = -1


@dataclass(frozen=True)
class SentPage:
    """A form and the action of its pressed button. `going`: the button's value, '' for none; `rows`: the change by a
    button that adds or removes a row."""

    form: SentForm
    going: str
    rows: RowsChange | None = None

    @property
    def page(self) -> Page:
        """The page with the raw values of its controls."""
        return self.form.page

    @property
    def keeps_only(self) -> bool:
        """True if the button saves valid values and stays on the page."""
        return bool(self.rows or self.form.choice or self.form.undone)


def form_data() -> dict[str, list[str]]:
    """The submitted form: every name with its texts."""
    return {name: request.form.getlist(name) for name in request.form}


def shown_by_form() -> ShownForm:
    """The version and key of the form, as sent; the version is below zero if missing."""
    given, key = request.form.get(VERSION_FIELD, ""), request.form.get(_KEY_FIELD, "")
    version = int(given) if re.fullmatch("[0-9]{1,8}", given) else _NO_VERSION
    return ShownForm(version, key if re.fullmatch("[0-9a-f]{32}", key) else None, after=left_form())


def read_sent(public_id: str, step: Step, *, default: str = "") -> SentPage:
    """The form of a page as sent, not validated yet. `default`: the action of a form without a button.

    Manipulated forms are refused (400), but users who may not change the participant are not told so: raises
    `NotAllowed`, `NoSuchParticipant`.
    """
    data, shown = form_data(), shown_by_form()
    page, going = raw_page(step, data), request.form.get("go", default)
    names = page.held_names() | undo_names(data) | _OWN_NAMES
    if shown.version < 0 or not page.is_ours or data.keys() - names or has_no_key_of_ours():
        refuse(public_id)
    rows = rows_change(page, going, data)
    if rows:
        changed = replace(page, raw={**page.raw, rows.key: rows.raw})
        if not changed.is_ours:
            refuse(public_id)
    undecided, untold = _undecided(page)
    form = SentForm(
        page=changed if rows else page,
        shown=shown,
        undecided=undecided,
        untold=untold,
        choice=_choice(going, undecided),
        undone=_undone(going),
        left_as=sent_while_leaving(),
    )
    return SentPage(form, going, rows)


def refuse(public_id: str) -> NoReturn:
    """Refuse a manipulated form: 400, or the error for users who may not change the participant."""
    if not may_change(viewer(), find(viewer(), public_id)):
        raise NotAllowed(public_id)
    abort(400)


def _undecided(page: Page) -> tuple[frozenset[str], frozenset[str]]:
    """The marks of the page's open conflicts in the form: all, and those that the user has not been led to."""
    marks = request.form.getlist("uavklart")
    known = frozenset(mark for mark in (one.rstrip("!") for one in marks) if page.has_mark(mark))
    return known, known & frozenset(mark for mark in marks if not mark.endswith("!"))


def _choice(going: str, undecided: frozenset[str]) -> Choice | None:
    """The user's choice in a conflict, by the button pressed; `None` for other buttons."""
    verb, _dash, mark = going.partition("-")
    is_ours = verb in {"mine", "theirs"} and mark in undecided
    return Choice(mark, mine=verb == "mine") if is_ours else None


def _undone(going: str) -> int | None:
    """The version to undo, by the button beside removed answers; `None` for other buttons."""
    match = re.fullmatch("tilbake-([1-9][0-9]{0,7})", going)
    return int(match[1]) if match else None
