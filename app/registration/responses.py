"""Responses of the four pages: a page with its form, and its fragments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flask import Response, request, url_for

from app.registration import forms
from app.registration.rows import RowsChange
from app.web.access import viewer
from app.web.formatting import clock_text, moment_text
from app.web.responses import respond
from app.web.test_results import tests_of
from services.core.clock import OSLO_TIME
from services.core.i18n import gettext as _
from services.core.i18n import ngettext
from services.participation import save as saving
from services.participation.answers import json_text
from services.participation.create import new_creation_key
from services.participation.find import find, heading
from services.participation.merge import Clash, registered_as
from services.participation.page import Page, pages_of, row_mark
from services.participation.save import Conflict, Unfinished
from services.participation.sent_form import ShownForm
from services.questions.pages import BACKGROUND, FIELDS, PROGRAMME, STEPS, TERMINATION, Step, step_named
from services.questions.programme_time import programme_time
from services.questions.row_fields import RowsField

if TYPE_CHECKING:
    from services.tables.participants import Participation


def page_address(public_id: str, step: Step) -> str:
    """The address of one of a participant's pages."""
    return url_for("registration.step_page", public_id=public_id, word=forms.STEP_WORDS[step.name])


def answer_page(
    participation: Participation,
    page: Page,
    *,
    pages: Mapping[str, Page] | None = None,
    status: int = 200,
    shown: ShownForm | None = None,
    said: dict[str, str] | None = None,
    clashes: Mapping[str, Clash] = MappingProxyType({}),
    elsewhere: list[tuple[str, str, list[str]]] | None = None,
    rows: RowsChange | None = None,
    removed: str = "",
) -> Response:
    """The page with its form. `pages`: all pages as stored, if loaded already; `shown`: the submitted form's version
    and key (default: a new form of the present version); `said`: the problems to show, if it was refused; `rows`: the
    change of a field's rows; `removed`: a message about removed answers."""
    failed = bool(said or clashes or elsewhere)
    if page.undecided - clashes.keys():
        clashes = {**registered_as(participation, page.undecided - clashes.keys()), **clashes}
    clashes = {mark: clash for mark, clash in clashes.items() if page.control_of(mark)}
    if failed:
        said = (said or {}) | {page.control_of(mark): clash_words(page, mark, clash) for mark, clash in clashes.items()}
    if pages is None:
        pages = pages_of(participation, page, username=viewer().username)
    drawn = controls(page, said=said, clashes=clashes, is_told=failed)
    return respond(
        "registration/page.html",
        "registration/form_answer.html",
        status=status,
        participation=participation,
        version=shown.version if shown else participation.version,
        form_key=(shown.key if shown else None) or new_creation_key(),
        page=page,
        controls=drawn,
        rows=rows,
        removed=removed,
        steps=forms.steps_of(pages, page.step),
        step_word=forms.STEP_WORDS[page.step.name],
        state=saved_state(participation, page),
        summary=forms.summary(said or {}, forms.ids_of(drawn)),
        elsewhere=elsewhere or [],
        time=programme_time(page.answers) if page.step is PROGRAMME else None,
        obstacles=obstacle_words({**pages, page.step.name: page}) if page.step is TERMINATION else "",
        heading=heading(participation),
        tests=tests_of(participation.person) if page.step is BACKGROUND else None,
        title=page_title(participation, page, failed=failed),
    )


def page_title(participation: Participation, page: Page, *, failed: bool) -> str:
    """The title of a participant's page; it begins with «Feil:» if an error is shown."""
    title = f"{heading(participation)} · {_(page.step.title)}"
    return f"{_('Feil:')} {title}" if failed else title


def controls(
    page: Page,
    *,
    said: Mapping[str, str] | None = None,
    clashes: Mapping[str, Clash] | None = None,
    is_told: bool = False,
) -> list[forms.FormControl]:
    """The controls of a page. `clashes`: conflicts by mark, to choose in; `is_told`: the user has been led to the
    conflict, so that continuing counts as a choice."""
    errors = dict(page.errors if said is None else said)
    choices = {}
    for mark, clash in (clashes or {}).items():
        if name := page.control_of(mark):
            errors[name] = clash_words(page, mark, clash)
            choices[row_mark(clash.key, clash.row) if clash.row else mark] = forms.Choices(
                buttons=_buttons(page, mark, clash), mark=f"{mark}!" if is_told else mark
            )
    return forms.controls_of(page, said=errors, choices=choices)


def _buttons(page: Page, mark: str, clash: Clash) -> tuple[tuple[str, str], ...]:
    """Values and labels of the buttons for the choice in a conflict."""
    who = {"who": clash.username}
    if clash.is_removed_here:
        place = page.control_of(mark).split("-")[1]
        return (f"remove-{clash.key}-{place}", _("Fjern likevel")), (f"theirs-{mark}", _("Behold raden"))
    if clash.row and clash.value is None:
        return (f"mine-{mark}", _("Behold raden")), (f"theirs-{mark}", _("Fjern raden, som %(who)s") % who)
    return (f"mine-{mark}", _("Behold svaret som står her")), (f"theirs-{mark}", _("Bruk svaret til %(who)s") % who)


@dataclass(frozen=True)
class StatusLine:
    """The line at the top of the form: its kind, for the style, and its text."""

    kind: str
    words: str


def saved_state(participation: Participation, page: Page) -> StatusLine:
    """The line about what is saved and when, or which fields are not saved."""
    at = participation.changed_at
    is_today = at.astimezone(OSLO_TIME).date() == page.answers["today"]
    if not page.unread:
        words = _("Lagret kl. %(at)s") if is_today else _("Lagret %(at)s")
        return StatusLine("saved", words % {"at": clock_text(at) if is_today else moment_text(at)})
    labels = ", ".join(f"«{_(question.label)}»" for question in page.step.fields if question.key in page.unread)
    if page.undecided:
        words = _("Ikke lagret: %(labels)s. Velg hva som skal stå. Resten er lagret.")
    else:
        words = _("Ikke lagret: %(labels)s. Rett svaret. Resten er lagret.")
    return StatusLine("missing", words % {"labels": labels})


def obstacle_words(pages: Mapping[str, Page]) -> str:
    """The problems beside the discharge button: other pages by name, and the fields of the last one."""
    obstacles = saving.obstacles(pages)
    own = obstacles.pop(TERMINATION.name, {})
    return ", ".join([*(_(step_named(name).title) for name in obstacles), *forms.labels(own).values()])


def clash_words(page: Page, mark: str, clash: Clash) -> str:
    """The message about a conflict: the other user's change, its time, and what to do."""
    did = _row_words(page, mark, clash) if clash.row else _answer_words(mark, clash)
    return f"{did} {_('Velg hva som skal stå, og gå videre.')}"


def _answer_words(mark: str, clash: Clash) -> str:
    question = FIELDS[clash.key]
    return _("%(who)s har endret %(what)s til «%(theirs)s» mens du skrev (%(at)s).") % {
        "who": clash.username,
        "what": _("dette") if clash.key == mark else f"«{_(question.label)}»",
        "theirs": json_text(question, clash.value) or _("ikke noe svar"),
        "at": moment_text(clash.at),
    }


def _row_words(page: Page, mark: str, clash: Clash) -> str:
    question = FIELDS[clash.key]
    if not isinstance(question, RowsField):
        raise TypeError(clash.key)
    place = int(page.control_of(mark).split("-")[1])
    values = {"who": clash.username, "row": f"{_(question.item).lower()} {place + 1}", "at": moment_text(clash.at)}
    if clash.value is None:
        return _("%(who)s har fjernet %(row)s mens du skrev (%(at)s).") % values
    stands = (question.from_json([clash.value]) or [{}])[0]
    if clash.is_removed_here:
        words = _("%(who)s har endret %(row)s mens du fjernet raden (%(at)s). Nå står det «%(theirs)s».")
        return words % (values | {"theirs": question.row_text(stands)})
    differing = question.differing(page.raw[clash.key][place], stands)
    changed = [inner for inner in question.fields if inner.key in (clash.fields or differing)]
    theirs = _(" og ").join(
        _("«%(label)s» til «%(answer)s»")
        % {"label": _(inner.label), "answer": inner.sentence(stands.get(inner.key)) or _("ikke noe svar")}
        for inner in changed
    )
    words = _("%(who)s har endret %(theirs)s i %(row)s mens du skrev (%(at)s).")
    return words % (values | {"theirs": theirs})


def removed_words(keys: Iterable[str]) -> str:
    """The message about answers that another answer removed; '' for none."""
    steps = {question.key: step for step in STEPS for question in step.fields}
    named = [f"«{_(FIELDS[key].label)}» ({_(steps[key].title)})" for key in keys]
    if not named:
        return ""
    words = ngettext(
        "Svaret på %(what)s er tatt bort, for det spørsmålet hører ikke til det du har svart nå. "
        "Endrer du svaret tilbake, kommer det igjen.",
        "Svarene på %(what)s er tatt bort, for de spørsmålene hører ikke til det du har svart nå. "
        "Endrer du svaret tilbake, kommer de igjen.",
        len(named),
    )
    return words % {"what": ", ".join(named)}


def answer_unfinished(public_id: str, shown: ShownForm, unfinished: Unfinished) -> Response:
    """The form again, with errors and missing fields."""
    participation, page = find(viewer(), public_id), unfinished.page
    shown = ShownForm(unfinished.version, shown.key)
    return answer_page(participation, page, status=422, shown=shown, said=page.problems)


def answer_conflict(public_id: str, shown: ShownForm, conflict: Conflict) -> Response:
    """The form again with the user's values, and the other user's beside them."""
    participation, shown = find(viewer(), public_id), ShownForm(conflict.version, shown.key)
    return answer_page(participation, conflict.page, status=409, shown=shown, clashes=conflict.clashes)


def answer_obstacles(
    participation: Participation, page: Page, shown: ShownForm, obstacles: dict[str, dict[str, str]]
) -> Response:
    """The form again, with the obstacles to a discharge on this page and on others."""
    elsewhere = []
    for name, problems in obstacles.items():
        if (step := step_named(name)) is not page.step:
            labels = list(forms.labels(problems).values())
            elsewhere.append((page_address(participation.public_id, step), _(step.title), labels))
    own = obstacles.get(page.step.name, {})
    return answer_page(participation, page, status=422, shown=shown, said=own, elsewhere=elsewhere)


def drawn_questions() -> dict[str, str]:
    """The state of conditional fields in the form, by key."""
    return {mark.rstrip("!"): mark for mark in request.form.getlist("vist")}


def answer_redrawn(
    controls: list[forms.FormControl],
    page: Page,
    answered: frozenset[str] = frozenset(),
    wrong: frozenset[str] = frozenset(),
    **more: Any,
) -> Response:
    """The fields to redraw: those that changed against the form's state, those that are or were `wrong`, and those that
    were `answered` here. Text that is being typed elsewhere is never touched."""
    changed = changed_controls(controls)
    anew = changed + [c for c in controls if c.name in answered | wrong and c not in changed]
    warned = _fields_with_warning()
    return respond(
        "registration/redrawn.html",
        "registration/redrawn.html",
        controls=anew,
        remarks=[c for c in controls if c.shown and c not in anew and (c.warning or c.name in warned)],
        answered=answered,
        page=page,
        step_word=forms.STEP_WORDS[page.step.name],
        **more,
    )


def _fields_with_warning() -> set[str]:
    """The keys of fields with a warning in the form."""
    return set(request.form.getlist("varslet"))


def changed_controls(controls: list[forms.FormControl]) -> list[forms.FormControl]:
    """The conditional fields that appear, disappear or become required or optional, against the form's state."""
    drawn = drawn_questions()
    return [c for c in controls if c.redrawn and drawn.get(c.name) != (c.mark if c.shown else None)]
