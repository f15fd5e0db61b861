"""The response to an automatic save: the changes on the screen."""

from collections.abc import Mapping

from flask import Response, request

from app.registration import forms
from app.registration.responses import (
    changed_controls,
    clash_words,
    controls,
    obstacle_words,
    page_title,
    removed_words,
    saved_state,
)
from app.registration.rows import RowsChange
from app.web.access import viewer
from app.web.formatting import moment_text
from app.web.responses import respond, tell_page
from services.core.i18n import gettext as _
from services.participation.merge import Clash
from services.participation.page import Page, pages_of
from services.participation.save import AutosaveResult
from services.questions.pages import FIELDS, PROGRAMME, TERMINATION
from services.questions.programme_time import programme_time


def answer_kept(kept: AutosaveResult, *, typing: str = "", rows: RowsChange | None = None) -> Response:
    """The response to an automatic save: the line at the top, the steps, fields that appear and disappear, errors, and
    changes by others. `typing`: the control that is being typed in, which shows no error yet; `rows`: the change of a
    field's rows."""
    page, participation = kept.page, kept.participation
    written = page.write_in_standard_form(but=typing)
    pages = pages_of(participation, page, username=viewer().username)
    drawn_errors, is_summed_up = set(request.form.getlist("sagt")), "oppsummert" in request.form
    wrong_now = page.problems if is_summed_up else page.errors
    said = {name: words for name, words in wrong_now.items() if _is_error_shown(page, name, typing, drawn_errors)}
    found = controls(page, said=said, clashes=kept.clashes)
    anew = kept.theirs.keys() | kept.put_back | ({rows.key} if rows else set())
    wrong = {control.name for control in found if control.has_error} | drawn_errors
    changed = ({control.name for control in changed_controls(found)} | wrong) - anew
    warned = set(request.form.getlist("varslet"))
    answer = respond(
        "registration/kept.html",
        "registration/kept.html",
        participation=participation,
        version=participation.version,
        page=page,
        rows=rows,
        anew=[control for control in found if control.name in anew],
        controls=[control for control in found if control.name in changed],
        remarks=[c for c in found if c.shown and c.name not in changed | anew and (c.warning or c.name in warned)],
        steps=forms.steps_of(pages, page.step),
        step_word=forms.STEP_WORDS[page.step.name],
        state=saved_state(participation, page),
        time=programme_time(page.answers) if page.step is PROGRAMME else None,
        others=_messages_about_others(kept.theirs),
        removed=removed_words(kept.removed),
        obstacles=obstacle_words(pages) if page.step is TERMINATION else "",
        summary=forms.summary(page.problems, forms.ids_of(found)) if is_summed_up else None,
        title=page_title(participation, page, failed=bool(page.problems)) if is_summed_up else None,
        said=_spoken_text(kept),
    )
    return tell_written(answer, written)


def tell_written(answer: Response, written: list[tuple[str, str, str]]) -> Response:
    """Let the page rewrite answers in the standard form: the control's name, the typed text, and the new one."""
    if written:
        tell_page(answer, "skrevet", felt=written)
    return answer


def _is_error_shown(page: Page, name: str, typing: str, drawn: set[str]) -> bool:
    """True if an error is to be shown: after the user has left the control. Empty fields in a row that is being filled
    in are no errors."""
    key, _dash, rest = name.partition("-")
    if name == typing:
        return key in drawn
    if not rest:
        return name in page.errors or key in drawn
    index, _dash, inner = rest.partition("-")
    return any(text.strip() for text in page.raw[key][int(index)].get(inner, []))


def _spoken_text(kept: AutosaveResult) -> str:
    """The text for screen readers about a save: only what the user must react to."""
    clashing = [clash_words(kept.page, mark, clash) for mark, clash in kept.clashes.items()]
    return " ".join([*clashing, *_messages_about_others(kept.theirs), removed_words(kept.removed)]).strip()


def _messages_about_others(theirs: Mapping[str, Clash]) -> list[str]:
    """Messages about fields that others have changed since the form was shown, one sentence for each user and time."""
    by: dict[tuple[str, str], list[str]] = {}
    for key, clash in theirs.items():
        if clash.is_own:
            continue
        by.setdefault((clash.username, moment_text(clash.at)), []).append(f"«{_(FIELDS[key].label)}»")
    words = _("%(who)s har endret %(what)s (%(at)s). Svarene står her nå.")
    return [words % {"who": who, "what": ", ".join(labels), "at": at} for (who, at), labels in by.items()]
