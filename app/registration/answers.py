"""The answers of the four pages: a page with its form, and the fragments of it."""

from collections.abc import Mapping
from typing import Any

from flask import Response, request, url_for

from app.access import viewer
from app.registration import forms
from app.test_results import tests_of
from app.web import respond
from services import registration as service
from services import saving
from services.i18n import gettext as _
from services.models import Participation
from services.participants import find, heading
from services.registration import Page
from services.saving import Clash, Conflict, Unfinished
from services.steps import BACKGROUND, FIELDS, TERMINATION, Step, step_named


def sent_form() -> dict[str, list[str]]:
    """The form as it was sent: every name with its texts."""
    return {name: request.form.getlist(name) for name in request.form}


def page_address(public_id: str, step: Step) -> str:
    """The address of one of a participant's pages."""
    return url_for("registration.step_page", public_id=public_id, word=forms.STEP_WORDS[step.name])


def answer_page(
    participation: Participation,
    page: Page,
    *,
    pages: Mapping[str, Page] | None = None,
    status: int = 200,
    version: int | None = None,
    said: dict[str, str] | None = None,
    clashes: dict[str, Clash] | None = None,
    elsewhere: list[tuple[str, str, list[str]]] | None = None,
) -> Response:
    """The page with its form. `pages` are all of them as they stand, if they are known already; `version` is the
    one that the page shows the answers of (default: the present one); `said` are the problems to show, if it was
    refused."""
    title = f"{heading(participation)} · {_(page.step.title)}"
    clash_words = {key: _clash_words(key, clash) for key, clash in (clashes or {}).items()}
    failed = bool(said or clash_words or elsewhere)
    pages = service.pages_of(participation) if pages is None else pages
    return respond(
        "registration/page.html",
        "registration/form.html",
        status=status,
        participation=participation,
        version=participation.version if version is None else version,
        page=page,
        controls=forms.controls_of(page, said=said, clashes=clash_words),
        steps=forms.steps_of(pages, page.step),
        step_word=forms.STEP_WORDS[page.step.name],
        summary=forms.summary(said or {}) + forms.summary(clash_words),
        elsewhere=elsewhere or [],
        obstacles=obstacle_words({**pages, page.step.name: page}) if page.step is TERMINATION else "",
        heading=heading(participation),
        tests=tests_of(participation.person) if page.step is BACKGROUND else None,
        title=f"{_('Feil:')} {title}" if failed else title,
    )


def obstacle_words(pages: Mapping[str, Page]) -> str:
    """What stands beside the button that discharges: other pages by name, and the questions of the last one."""
    obstacles = saving.obstacles(pages)
    own = obstacles.pop(TERMINATION.name, {})
    return ", ".join([*(_(step_named(name).title) for name in obstacles), *forms.labels(own).values()])


def _clash_words(key: str, clash: Clash) -> str:
    question = FIELDS[clash.key]
    what = _("dette") if clash.key == key else f"«{_(question.label)}»"
    theirs = service.json_text(question, clash.value) or _("ikke noe svar")
    return _("%(who)s har endret %(what)s til «%(theirs)s» mens du skrev. Velg hva som skal stå, og gå videre") % {
        "who": clash.username,
        "what": what,
        "theirs": theirs,
    }


def answer_unfinished(public_id: str, unfinished: Unfinished) -> Response:
    """The form again, with what is wrong and what is missing."""
    participation, page = find(viewer(), public_id), unfinished.page
    return answer_page(participation, page, status=422, version=unfinished.version, said=page.problems)


def answer_conflict(public_id: str, conflict: Conflict) -> Response:
    """The form again with what was typed here, and beside it what the other wrote."""
    participation = find(viewer(), public_id)
    return answer_page(participation, conflict.page, status=409, version=conflict.version, clashes=conflict.clashes)


def answer_obstacles(
    participation: Participation, page: Page, version: int, obstacles: dict[str, dict[str, str]]
) -> Response:
    """The form again, with what stands in the way of discharge on this page and on others."""
    elsewhere = []
    for name, problems in obstacles.items():
        if (step := step_named(name)) is not page.step:
            labels = list(forms.labels(problems).values())
            elsewhere.append((page_address(participation.public_id, step), _(step.title), labels))
    own = obstacles.get(page.step.name, {})
    return answer_page(participation, page, status=422, version=version, said=own, elsewhere=elsewhere)


def with_registered(participation: Participation, page: Page) -> Page:
    """The page, where questions that come (back) into sight show what is registered."""
    values, drawn = service.values_of(participation), _drawn()
    coming = {q.key: q.raw(values[q.key]) for q in page.step.fields if q.shown.keys and q.key not in drawn}
    return service.page_again(page, coming, values)


def _drawn() -> dict[str, str]:
    """How the questions that come and go stand in the form, by their keys."""
    return {mark.rstrip("!"): mark for mark in request.form.getlist("vist")}


def answer_redrawn(
    controls: list[forms.Control], page: Page, answered: frozenset[str] = frozenset(), **more: Any
) -> Response:
    """Only what has changed against what the form says that it shows, and what has been `answered` here:
    text that is being typed elsewhere is never touched."""
    drawn = _drawn()
    changed = [
        c for c in controls if c.name in answered or (c.redrawn and drawn.get(c.name) != (c.mark if c.shown else None))
    ]
    remarks = [c for c in controls if c.question.remarked and c.shown and c not in changed]
    return respond(
        "registration/redrawn.html",
        "registration/redrawn.html",
        controls=changed,
        remarks=remarks,
        page=page,
        step_word=forms.STEP_WORDS[page.step.name],
        **more,
    )
