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
    """A view that the user saved may ask for what she has not any more, such as a bydel; and she may begin with it."""
    asked = request.query_string.decode("ascii", "replace")
    names = [view.name for view in saved_views.views_of(viewer()) if asked and view.query == asked]
    if not names:
        return error_answer(400)
    words = _("Visningen «%(name)s» har et filter eller en sortering som du ikke har lenger. Her er hele listen.")
    flash(words % {"name": names[0]}, "warning")
    return redirect_to(address_of("overview.overview_page"))


@dataclass(frozen=True)
class ListState:
    """How the list is drawn. `redrawn`: the fields of the panel that do not stand on screen as they are meant
    now. `focused`: the place of the chip that takes the focus, -1 for none. `closed`: the panel is closed by this."""

    redrawn: list[PanelField] = field(default_factory=list)
    focused: int = -1
    closed: bool = False

    @property
    def mended(self) -> bool:
        """True if fields were said to be wrong, and all of them are drawn anew."""
        return bool(_said_wrong()) and _said_wrong() <= {one.name for one in self.redrawn}


def _said_wrong() -> set[str]:
    """The fields of the panel at which an error stands."""
    return set(request.form.getlist(SAID_WRONG))


def _title(*, is_wrong: bool) -> str:
    heading = _("Deltakeroversikt")
    return f"{_('Feil:')} {heading}" if is_wrong else heading


@overview.get("/deltakere")
@requires(Right.READ)
def overview_page() -> ResponseReturnValue:
    """The participant list. An address with too many municipalities, made by hand, leads to one that holds none."""
    asked = from_address()
    is_long = "kommune" in request.args and are_many(asked.query.criteria.municipalities)
    if is_long and not (asked.faults or is_partial()):
        return redirect_to(asked.address)
    return _answer(asked, ListState([one for one in controls(asked) if any(one.errors)] if asked.faults else []))


@overview.get("/deltakere/sok")
@requires(Right.READ)
def search_page() -> Response:
    """Whoever reloads the answer to a form with something wrong in it comes to the list."""
    return redirect_to(address_of("overview.overview_page"))


@overview.post("/deltakere/sok")
@requires(Right.READ)
@takes(NAMES, BESIDE)
def search() -> ResponseReturnValue:
    """Narrow the list down to what the form says, take a criterion or all of them away, or go on to the saved views
    with the list. Without JavaScript the panel is closed by this too, so that nothing typed is lost."""
    if key := request.form.get(TAKEN_AWAY):
        return _take_all_away() if key == "alle" else _take_away(key)
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
    stale = _said_wrong() | ({"kommune"} if request.form.get(PLACE_NAMES) else set())
    redrawn = [one for one in controls(asked) if any(one.errors) or one.name in stale]
    return _answer(asked, ListState(redrawn, closed=closed))


def _take_away(key: str) -> ResponseReturnValue:
    before = shown_before()
    if not is_partial():  # what has been chosen and typed in the panel since goes along, if it is right
        chosen = chosen_in_form(before) if PANEL in request.form else None
        return redirect_to(without(before, key, chosen if chosen and not chosen.faults else None).address)
    asked = without(before, key)
    place = [chip.key for chip in chips(before)].index(key)
    changed = [one for one in controls(asked) if one.name == key.partition(":")[0]]
    return _answer(asked, ListState(changed, focused=min(place, len(chips(asked)) - 1)))


def _take_all_away() -> ResponseReturnValue:
    query = shown_before().query
    asked = ListRequest(ListQuery(order=query.order, size=query.size))
    return _answer(asked, ListState(controls(asked))) if is_partial() else redirect_to(asked.address)


def _answer(asked: ListRequest, shown: ListState) -> Response:
    query = asked.query
    # Another order or page has the same criteria, which stand on screen already.
    criteria_too = not is_partial() or request.method == "POST" or bool(asked.is_gone or asked.faults)
    refuse_too_many()
    listed = page_of(viewer(), asked.criteria, query.order, page=query.page, size=query.size)
    note_list("list", [row.id for row in listed.rows], order=write(query))
    panel_open = _panel_stands(shown) or bool(asked.faults)
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


def _panel_stands(shown: ListState) -> bool:
    """Whether the panel is open on the page that is answered. A form says so itself, since another tab of the same
    visit may have opened or closed it there; else it is as the visit says."""
    if is_partial() and request.method == "POST":
        return PANEL in request.form and not shown.closed
    return bool(session.get("panel"))


@overview.post("/deltakere/panel")
@requires(Right.READ)
@takes(NAMES, BESIDE)
def panel() -> ResponseReturnValue:
    """Open or close the panel; it stays so until it is changed. Its criteria are kept. With something wrong in it that
    has not been seen yet it stays open."""
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
        mended=bool(_said_wrong()),
        title=_title(is_wrong=False) if _said_wrong() else "",
        views=saved_views.views_of(viewer()),
        by_cross=BY_CROSS in request.form,
    )
