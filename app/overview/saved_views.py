"""Saved views of the participant list: the user's own list of them, and their changes."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, request, url_for

from app.overview.chips import chips
from app.overview.forms import ViewForm
from app.overview.list_request import from_address, shown_before, views_address, with_query
from app.overview.list_view import order_text
from app.overview.query import BadQuery, write
from app.web.access import requires, viewer
from app.web.errors import error_answer
from app.web.form_fields import takes
from app.web.responses import redirect_to, respond
from services.access.viewer import Right
from services.core.i18n import gettext as _
from services.listing import saved_views as views

saved_views = Blueprint("saved_views", __name__)


@saved_views.errorhandler(BadQuery)
def _bad_query(_error: BadQuery) -> Response:
    return error_answer(400)


@saved_views.errorhandler(views.NoSuchView)
def _no_view(_error: views.NoSuchView) -> Response:
    return error_answer(404)


@saved_views.get("/deltakere/visninger")
@requires(Right.READ)
def list_page() -> Any:
    """The user's views; the address carries the list to be saved."""
    return _page(ViewForm())


def _page(form: ViewForm, *, of: str = "", going: str = "") -> Response:
    """The page of saved views. `form`: the name of the view `of`, or of the new one; `going`: the view whose deletion
    is to be confirmed."""
    asked = shown_before() if form.shown.raw_data else from_address()
    return respond(
        "overview/saved_views.html",
        "overview/saved_views_list.html",
        status=422 if form.errors else 200,
        views=views.views_of(viewer()),
        written=write(asked.query),
        chips=chips(asked),
        order_text=order_text(asked.query),
        form=form,
        of=of,
        going=going,
    )


def _named(give: Callable[[str], None]) -> ViewForm:
    """Save a view under the typed name; returns the form, with errors."""
    form = ViewForm()
    if not form.validate():
        return form
    name = form.name.data
    try:
        give(name)
    except views.NameTaken:
        form.name.errors = [_("Du har allerede en visning som heter «%(name)s»") % {"name": name}]
    except views.TooMany:
        form.name.errors = [_("Du kan ha maks %(n)s visninger. Slett en først.") % {"n": views.MOST_VIEWS}]
    return form


@saved_views.post("/deltakere/visninger")
@requires(Right.READ)
@takes(ViewForm)
def save() -> Any:
    """Save the list that the form was sent from under a name."""
    query = write(shown_before().query, with_page=False)
    form = _named(lambda name: views.save_view(viewer(), name, query))
    if form.errors:
        return _page(form)
    flash(_("Visningen «%(name)s» er lagret.") % {"name": form.name.data}, "success")
    return redirect_to(with_query(url_for("overview.overview_page"), query))


@saved_views.get("/deltakere/visninger/<id:view_id>")
@requires(Right.READ)
def view_page(view_id: str) -> Any:
    """Lead a reload of a response about a view to the list of views."""
    return redirect_to(url_for("saved_views.list_page"))


@saved_views.get("/deltakere/visninger/<id:view_id>/slett")
@requires(Right.READ)
def question(view_id: str) -> Any:
    """The user's views, with the confirmation of a deletion."""
    return _page(ViewForm(), going=views.find_view(viewer(), view_id).id)


@saved_views.post("/deltakere/visninger/<id:view_id>")
@requires(Right.READ)
@takes(ViewForm)
def change(view_id: str) -> Any:
    """Rename or delete a view, or make it the start view, by the button pressed."""
    button = request.form.get("go")
    if button == "navn":
        return _rename(view_id)
    if button == "slett" and view_id in {view.id for view in views.views_of(viewer())}:
        return redirect_to(with_query(url_for("saved_views.question", view_id=view_id), write(shown_before().query)))
    if button in {"slett", "slett-ja"}:  # a second deletion does nothing
        views.delete_view(viewer(), view_id)
        return _done(_("Visningen er slettet."))
    if button == "start":
        name = views.find_view(viewer(), view_id).name
        views.start_with(viewer(), view_id)
        return _done(_("Du begynner nå med «%(name)s».") % {"name": name})
    if button == "ikke-start":
        views.start_with(viewer(), None)
        return _done(_("Du begynner nå med hele listen."))
    return error_answer(400)


def _rename(view_id: str) -> Any:
    views.find_view(viewer(), view_id)
    form = _named(lambda name: views.rename_view(viewer(), view_id, name))
    if form.errors:
        return _page(form, of=view_id)
    return _done(_("Visningen heter nå «%(name)s».") % {"name": form.name.data})


def _done(said: str) -> Any:
    flash(said, "success")
    return redirect_to(views_address(shown_before().query))
