"""The overview: one page of the list, whole or as a fragment, its search and its criteria."""

from dataclasses import dataclass, field, replace

from flask import Blueprint, Response, flash, request, session
from flask.typing import ResponseReturnValue

from app.overview import list_view
from app.overview.chips import chips, without
from app.overview.list_request import (
    BESIDE,
    BY_CROSS,
    OPENED,
    PANEL,
    SAID_WRONG,
    TAKEN_AWAY,
    ListRequest,
    address,
    chosen_in_form,
    from_address,
    from_form,
    shown_before,
    views_address,
)
from app.overview.panel import PanelField, controls
from app.overview.query import NAMES, PLACE_NAMES, BadQuery, ListQuery, are_many, write
from app.web.access import requires, viewer
from app.web.errors import error_answer
from app.web.form_fields import takes
from app.web.page_views import note_list, refuse_too_many
from app.web.responses import address_of, is_partial, redirect_to, respond
from app.web.way_back import keep_form_list
from services.access.viewer import Right
from services.core.i18n import gettext as _
from services.listing import saved_views
from services.listing.paging import page_of

overview = Blueprint("overview", __name__)


@overview.errorhandler(BadQuery)
def _bad_query(_error: BadQuery) -> Response:
    """A saved view may have criteria that the user has lost, such as a bydel, and may be the start view: show the whole
    list."""
    asked = request.query_string.decode("ascii", "replace")
    names = [view.name for view in saved_views.views_of(viewer()) if asked and view.query == asked]
    if not names:
        return error_answer(400)
    words = _("Visningen «%(name)s» har et filter eller en sortering som du ikke har lenger. Her er hele listen.")
    flash(words % {"name": names[0]}, "warning")
    return redirect_to(address_of("overview.overview_page"))


@dataclass(frozen=True)
class ListState:
    """The state of the list on screen. `redrawn`: fields of the panel that differ from the screen; `focused`: the
    position of the chip that gets the focus, -1 for none; `closed`: this response closes the panel."""

    redrawn: list[PanelField] = field(default_factory=list)
    focused: int = -1
    closed: bool = False

    @property
    def mended(self) -> bool:
        """True if the screen showed errors, and all their fields are redrawn."""
        return bool(_fields_with_error()) and _fields_with_error() <= {one.name for one in self.redrawn}


def _fields_with_error() -> set[str]:
    """The fields of the panel that show an error on screen."""
    return set(request.form.getlist(SAID_WRONG))


def _title(*, is_wrong: bool) -> str:
    heading = _("Deltakeroversikt")
    return f"{_('Feil:')} {heading}" if is_wrong else heading


@overview.get("/deltakere")
@requires(Right.READ)
def overview_page() -> ResponseReturnValue:
    """The participant list. A handmade address with too many municipalities redirects to one without."""
    asked = from_address()
    is_long = "kommune" in request.args and are_many(asked.query.criteria.municipalities)
    if is_long and not (asked.faults or is_partial()):
        return redirect_to(asked.address)
    return _answer(asked, ListState([one for one in controls(asked) if any(one.errors)] if asked.faults else []))


@overview.get("/deltakere/sok")
@requires(Right.READ)
def search_page() -> Response:
    """Lead a reload of a response with an error to the list."""
    return redirect_to(address_of("overview.overview_page"))


@overview.post("/deltakere/sok")
@requires(Right.READ)
@takes(NAMES, BESIDE)
def search() -> ResponseReturnValue:
    """Apply the criteria of the form, remove one or all, or continue to the saved views with the list. Without
    JavaScript this also closes the panel, so that nothing typed is lost."""
    if key := request.form.get(TAKEN_AWAY):
        return _remove_all_criteria() if key == "alle" else _remove_criterion(key)
    asked = from_form()
    if request.form.get("go") == "visninger" and not asked.faults:
        return redirect_to(views_address(asked.query))
    closed = request.form.get(OPENED) == "0" and not asked.faults  # «Vis deltakerne»
    if closed:
        session.pop("panel", None)
    if not is_partial() and not asked.faults:
        return redirect_to(asked.address)
    if not is_partial():
        keep_form_list(asked.address.partition("?")[2])
    stale = _fields_with_error() | ({"kommune"} if request.form.get(PLACE_NAMES) else set())
    redrawn = [one for one in controls(asked) if any(one.errors) or one.name in stale]
    return _answer(asked, ListState(redrawn, closed=closed))


def _remove_criterion(key: str) -> ResponseReturnValue:
    before = shown_before()
    if not is_partial():  # changes in the panel since are applied too, if valid
        chosen = chosen_in_form(before) if PANEL in request.form else None
        return redirect_to(without(before, key, chosen if chosen and not chosen.faults else None).address)
    asked = without(before, key)
    place = [chip.key for chip in chips(before)].index(key)
    changed = [one for one in controls(asked) if one.name == key.partition(":")[0]]
    return _answer(asked, ListState(changed, focused=min(place, len(chips(asked)) - 1)))


def _remove_all_criteria() -> ResponseReturnValue:
    query = shown_before().query
    asked = ListRequest(ListQuery(order=query.order, size=query.size))
    return _answer(asked, ListState(controls(asked))) if is_partial() else redirect_to(asked.address)


def _answer(asked: ListRequest, shown: ListState) -> Response:
    query = asked.query
    # Another order or page has the same criteria, which are on screen already.
    criteria_too = not is_partial() or request.method == "POST" or bool(asked.is_gone or asked.faults)
    refuse_too_many()
    listed = page_of(viewer(), asked.criteria, query.order, page=query.page, size=query.size)
    note_list("list", [row.id for row in listed.rows], order=write(query))
    panel_open = _is_panel_open(shown) or bool(asked.faults)
    fields = controls(asked) if asked.faults or (panel_open and not is_partial()) else []
    wrong = [one for control in fields for one in control.wrong]
    answer = respond(
        "overview/page.html",
        "overview/fragment.html",
        status=422 if asked.faults else 200,
        asked=asked,
        shown=shown,
        title=_title(is_wrong=bool(wrong)) if wrong or shown.mended or not is_partial() else "",
        listed=listed,
        **list_view.frame(query),
        rows=list_view.drawn_rows(listed.rows),
        nav=list_view.pages(listed, query),
        sizes=list_view.sizes(query),
        chips=chips(asked) if criteria_too else None,
        unnarrowed=address(ListQuery(order=query.order, size=query.size)),
        written=write(query),
        downloads=write(query, with_page=False),
        order_text=list_view.order_text(query),
        count=list_view.count_text(listed),
        said=list_view.spoken(asked, listed, wrong),
        missed=list_view.missed_text(listed) if listed.missed else "",
        panel_open=panel_open,
        controls=fields,
        wrong=wrong,
        views=saved_views.views_of(viewer()) if panel_open and not is_partial() else [],
    )
    if is_partial():
        answer.headers["HX-Push-Url"] = asked.address
    return answer


def _is_panel_open(shown: ListState) -> bool:
    """True if the panel is open on the resulting page. A form states it, since another tab of the same session may have
    opened or closed it there; otherwise the session does."""
    if is_partial() and request.method == "POST":
        return PANEL in request.form and not shown.closed
    return bool(session.get("panel"))


@overview.post("/deltakere/panel")
@requires(Right.READ)
@takes(NAMES, BESIDE)
def panel() -> ResponseReturnValue:
    """Open or close the panel; the session remembers it. Its criteria are stored. It stays open if it has an error that
    has not been shown yet."""
    asked = shown_before()
    is_open = request.form.get(OPENED) == "1"
    if PANEL in request.form and (chosen := chosen_in_form(asked)).faults:
        is_open = True
        query = replace(asked.query, criteria=chosen.criteria)
        asked = ListRequest(query, chosen.kept, asked.is_gone, chosen.faults, chosen.typed)
    if is_open:
        session["panel"] = True
    else:
        session.pop("panel", None)
    if not is_partial():
        return redirect_to(asked.address)
    return respond(
        "overview/page.html",
        "overview/panel_switched.html",
        panel_open=is_open,
        controls=controls(asked),
        mended=bool(_fields_with_error()),
        title=_title(is_wrong=False) if _fields_with_error() else "",
        views=saved_views.views_of(viewer()),
        by_cross=BY_CROSS in request.form,
    )
