"""The answers of the four pages: a page with its form, and the fragments of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from flask import Response, request, url_for

from app.access import viewer
from app.formatting import clock_text, moment_text
from app.registration import forms
from app.registration.leaving import left_form
from app.registration.rows import RowsChange
from app.test_results import tests_of
from app.web import respond
from services import registration as service
from services import saving
from services.conflicts import Clash, Shown, registered_as
from services.duration import programme_time
from services.i18n import gettext as _
from services.models import Participation
from services.participants import find, heading
from services.registration import Page
from services.saving import Conflict, Unfinished
from services.steps import BACKGROUND, FIELDS, PROGRAMME, TERMINATION, Step, step_named


def sent_form() -> dict[str, list[str]]:
    """The form as it was sent: every name with its texts."""
    return {name: request.form.getlist(name) for name in request.form}


def shown_by_form() -> Shown:
    """What the form says that it showed; a version below zero if it says none."""
    given, key = request.form.get("version", ""), request.form.get("form_key", "")
    version = int(given) if re.fullmatch("[0-9]{1,8}", given) else -1
    return Shown(version, key if re.fullmatch("[0-9a-f]{32}", key) else None, after=left_form())


def page_address(public_id: str, step: Step) -> str:
    """The address of one of a participant's pages."""
    return url_for("registration.step_page", public_id=public_id, word=forms.STEP_WORDS[step.name])


def answer_page(
    participation: Participation,
    page: Page,
    *,
    pages: Mapping[str, Page] | None = None,
    status: int = 200,
    shown: Shown | None = None,
    said: dict[str, str] | None = None,
    clashes: Mapping[str, Clash] = MappingProxyType({}),
    elsewhere: list[tuple[str, str, list[str]]] | None = None,
    rows: RowsChange | None = None,
) -> Response:
    """The page with its form. `pages` are all of them as they stand, if they are known already; `shown` is what the
    form that was sent says that it showed (default: a new form of the present version); `said` are the problems to
    show, if it was refused; `rows` what has become of a repeatable question."""
    title = f"{heading(participation)} · {_(page.step.title)}"
    failed = bool(said or clashes or elsewhere)
    if page.undecided - clashes.keys():
        clashes = {**registered_as(participation, page.undecided), **clashes}
    if failed:
        said = (said or {}) | {key: clash_words(key, clash) for key, clash in clashes.items()}
    pages = service.pages_of(participation) if pages is None else pages
    return respond(
        "registration/page.html",
        "registration/form_answer.html",
        status=status,
        participation=participation,
        version=shown.version if shown else participation.version,
        form_key=(shown.key if shown else None) or service.new_creation_key(),
        page=page,
        controls=controls(page, said=said, clashes=clashes, is_told=failed),
        rows=rows,
        steps=forms.steps_of(pages, page.step),
        step_word=forms.STEP_WORDS[page.step.name],
        state=saved_state(participation, page),
        summary=forms.summary(said or {}),
        elsewhere=elsewhere or [],
        time=programme_time(page.answers) if page.step is PROGRAMME else None,
        obstacles=obstacle_words({**pages, page.step.name: page}) if page.step is TERMINATION else "",
        heading=heading(participation),
        tests=tests_of(participation.person) if page.step is BACKGROUND else None,
        title=f"{_('Feil:')} {title}" if failed else title,
    )


def controls(
    page: Page,
    *,
    said: Mapping[str, str] | None = None,
    clashes: Mapping[str, Clash] | None = None,
    is_told: bool = False,
) -> list[forms.Control]:
    """The controls of a page. `clashes` are what others have answered, to choose between; `is_told`: she has been
    led there, so that what stands there when she goes on is her choice."""
    errors = dict(page.errors if said is None else said)
    choices = {}
    for key, clash in (clashes or {}).items():
        errors[key] = clash_words(key, clash)
        choices[key] = forms.Choices(
            mine=_("Behold svaret som står her"),
            theirs=_("Bruk svaret til %(who)s") % {"who": clash.username},
            mark=f"{key}!" if is_told else key,
        )
    return forms.controls_of(page, said=errors, choices=choices)


@dataclass(frozen=True)
class State:
    """The line at the top of the form: its kind, for the look, and its words."""

    kind: str
    words: str


def saved_state(participation: Participation, page: Page) -> State:
    """What is saved, and when; or what of the page is not."""
    at = participation.changed_at
    is_today = at.astimezone(service.OSLO_TIME).date() == page.answers["today"]
    if not page.unread:
        words = _("Lagret kl. %(at)s") if is_today else _("Lagret %(at)s")
        return State("saved", words % {"at": clock_text(at) if is_today else moment_text(at)})
    labels = ", ".join(_(question.label) for question in page.step.fields if question.key in page.unread)
    words = _("Ikke lagret: %(labels)s. Det du har skrevet der, er tatt vare på. Resten er lagret")
    return State("missing", words % {"labels": labels})


def obstacle_words(pages: Mapping[str, Page]) -> str:
    """What stands beside the button that discharges: other pages by name, and the questions of the last one."""
    obstacles = saving.obstacles(pages)
    own = obstacles.pop(TERMINATION.name, {})
    return ", ".join([*(_(step_named(name).title) for name in obstacles), *forms.labels(own).values()])


def clash_words(key: str, clash: Clash) -> str:
    """What another has answered while this form was being filled in, when, and what to do."""
    question = FIELDS[clash.key]
    did = _("%(who)s har endret %(what)s til «%(theirs)s» mens du skrev (%(at)s).") % {
        "who": clash.username,
        "what": _("dette") if clash.key == key else f"«{_(question.label)}»",
        "theirs": service.json_text(question, clash.value) or _("ikke noe svar"),
        "at": moment_text(clash.at),
    }
    return f"{did} {_('Velg hva som skal stå, og gå videre')}"


def undecided_marks() -> tuple[frozenset[str], frozenset[str]]:
    """Which questions the form says that two have answered: all of them, and those that she has not been led to."""
    marks = request.form.getlist("uavklart")
    return frozenset(mark.rstrip("!") for mark in marks), frozenset(mark for mark in marks if not mark.endswith("!"))


def answer_unfinished(public_id: str, unfinished: Unfinished) -> Response:
    """The form again, with what is wrong and what is missing."""
    participation, page = find(viewer(), public_id), unfinished.page
    shown = Shown(unfinished.version, shown_by_form().key)
    return answer_page(participation, page, status=422, shown=shown, said=page.problems)


def answer_conflict(public_id: str, conflict: Conflict) -> Response:
    """The form again with what was typed here, and beside it what the other wrote."""
    participation, shown = find(viewer(), public_id), Shown(conflict.version, shown_by_form().key)
    return answer_page(participation, conflict.page, status=409, shown=shown, clashes=conflict.clashes)


def answer_obstacles(
    participation: Participation, page: Page, version: int, obstacles: dict[str, dict[str, str]]
) -> Response:
    """The form again, with what stands in the way of discharge on this page and on others."""
    elsewhere = []
    for name, problems in obstacles.items():
        if (step := step_named(name)) is not page.step:
            labels = list(forms.labels(problems).values())
            elsewhere.append((page_address(participation.public_id, step), _(step.title), labels))
    own, shown = obstacles.get(page.step.name, {}), Shown(version, shown_by_form().key)
    return answer_page(participation, page, status=422, shown=shown, said=own, elsewhere=elsewhere)


def with_registered(participation: Participation, page: Page) -> Page:
    """The page, where questions that come (back) into sight show what is registered."""
    values, drawn = service.values_of(participation), drawn_questions()
    coming = {q.key: q.raw(values[q.key]) for q in page.step.fields if q.shown.keys and q.key not in drawn}
    return service.page_again(page, coming, values)


def drawn_questions() -> dict[str, str]:
    """How the questions that come and go stand in the form, by their keys."""
    return {mark.rstrip("!"): mark for mark in request.form.getlist("vist")}


def answer_redrawn(
    controls: list[forms.Control], page: Page, answered: frozenset[str] = frozenset(), **more: Any
) -> Response:
    """Only what has changed against what the form says that it shows, and what has been `answered` here:
    text that is being typed elsewhere is never touched."""
    changed = changed_controls(controls)
    return respond(
        "registration/redrawn.html",
        "registration/redrawn.html",
        controls=changed + [c for c in controls if c.name in answered and c not in changed],
        remarks=[],
        page=page,
        step_word=forms.STEP_WORDS[page.step.name],
        **more,
    )


def changed_controls(controls: list[forms.Control]) -> list[forms.Control]:
    """The questions that come, go or change their obligation, against what the form says that it shows."""
    drawn = drawn_questions()
    return [c for c in controls if c.redrawn and drawn.get(c.name) != (c.mark if c.shown else None)]
