"""The way back: links from a participant's pages to the list that the participant was opened from, and to the place in
it.

The browser states from which page another one was opened (`Referer`, the whole address within this site). If that is
the participant list, its query is stored in the session for this participant, or for the form of a new one. Reasons:
decision 0031.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request, session

from app.web.responses import address_of, is_partial

_LISTS = "lists"  # in a session's data: [key, query] for each participant, the last one opened comes last
_MOST = 30
_LENGTH = 16  # of a participant's public id
_OF_A_FORM = ""  # the key of a list shown at the address of a form, because of an error in the form


def remember_list(key: str) -> None:
    """Set the key of the participant, or of the form, for the current page; if it was opened from a list, the ways back
    lead to that list from now on."""
    g.list_key = key
    query = _opened_from() if request.method == "GET" and not is_partial() else None
    if query is not None:
        _keep(key, query)


def keep_form_list(query: str) -> None:
    """Store the query of the list on a page that answers a criteria form with an error."""
    _keep(_OF_A_FORM, query)


def pass_list_on(key: str, other: str) -> None:
    """Copy the list of one key to another: from the form of a new participant to the participant."""
    if (query := dict(_lists()).get(key)) is not None:
        _keep(other, query)


def list_address(key: str = "", *, place: bool = True) -> str:
    """The address of the list that the current participant, or the one with that key, was opened from; with the `place`
    of the participant in it. If unknown, the last list that a participant was opened from, or the plain one."""
    lists, key = _lists(), key or g.get("list_key", "")
    known = dict(lists)
    query = known.get(key, lists[-1][1] if lists else "")
    address = address_of("overview.overview_page") + (f"?{query}" if query else "")
    return f"{address}#{key}" if place and key in known and len(key) == _LENGTH else address


def leads_back() -> bool:
    """True if the current page is one of a participant's, and a list is known."""
    return bool(g.get("list_key") and _lists())


def _lists() -> list[tuple[str, str]]:
    return [(key, query) for key, query in session.get(_LISTS, ())]


def _keep(key: str, query: str) -> None:
    if (key, query) not in _lists():
        rest = [pair for pair in _lists() if pair[0] != key]
        session[_LISTS] = [*rest[1 - _MOST :], (key, query)]


def _opened_from() -> str | None:
    """The query of the list that the page was opened from; `None` if it was not opened from one of ours."""
    try:
        there = urlsplit(request.headers.get("Referer", ""))
        own = {request.host, urlsplit(current_app.config["SETTINGS"].public_url).netloc}
        if there.netloc not in own:
            return None
        if there.path == address_of("overview.search"):
            return dict(_lists()).get(_OF_A_FORM)
        if there.path != address_of("overview.overview_page"):
            return None
    except ValueError:  # unbalanced brackets
        return None
    canonical: Callable[[str], str | None] = current_app.extensions["list_query"]
    return canonical(there.query)


def init_way_back(app: Flask, canonical: Callable[[str], str | None]) -> None:
    """Record from which list participants are opened, and give the way back to the templates. `canonical`: normalises
    the query of a list, `None` if it is not valid."""
    app.extensions["list_query"] = canonical

    @app.before_request
    def _notice() -> None:
        if g.get("viewer") and (public_id := (request.view_args or {}).get("public_id")):
            remember_list(public_id)

    app.jinja_env.globals["list_address"] = list_address
    app.jinja_env.globals["leads_back"] = leads_back
