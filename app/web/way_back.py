"""The way back: a participant's pages lead to the list that the participant was opened from, and to the place in it.

The browser tells from which page another one was opened (`Referer`, the whole address within this site). If that is the
participant list, its query is kept in the visit for this participant, or for the form of a new one. Decision 0031 says
why.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request, session

from app.web.responses import address_of, is_partial

_LISTS = "lists"  # in a visit's data: [key, query] for each participant, the last one opened comes last
_MOST = 30
_LENGTH = 16  # of a participant's public id
_OF_A_FORM = ""  # the key of the list that stands under the address of a form, since something in the form was wrong


def remember_list(key: str) -> None:
    """Let the present page be about the participant, or the form, with that key; if it was opened from a list, the ways
    back lead there from now on."""
    g.list_key = key
    query = _opened_from() if request.method == "GET" and not is_partial() else None
    if query is not None:
        _keep(key, query)


def keep_form_list(query: str) -> None:
    """Note which list stands on the page that answers a form of criteria with something wrong in it."""
    _keep(_OF_A_FORM, query)


def pass_list_on(key: str, other: str) -> None:
    """What is known for one key holds for another: the form of a new participant for the participant."""
    if (query := dict(_lists()).get(key)) is not None:
        _keep(other, query)


def list_address(key: str = "", *, place: bool = True) -> str:
    """Where the list stands that the present participant was opened from, or the one with that key; with the `place` of
    the participant in it. If nobody knows, the list that somebody was opened from last, or the plain one."""
    lists, key = _lists(), key or g.get("list_key", "")
    known = dict(lists)
    query = known.get(key, lists[-1][1] if lists else "")
    address = address_of("overview.overview_page") + (f"?{query}" if query else "")
    return f"{address}#{key}" if place and key in known and len(key) == _LENGTH else address


def leads_back() -> bool:
    """Whether the present page is one of a participant's, and it is known from which list participants were opened."""
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
    except ValueError:  # brackets that mean nothing
        return None
    canonical: Callable[[str], str | None] = current_app.extensions["list_query"]
    return canonical(there.query)


def init_way_back(app: Flask, canonical: Callable[[str], str | None]) -> None:
    """Notice from where participants are opened, and give the way back to the templates. `canonical`: the query of a
    list as the program writes it, `None` if the list knows no such query."""
    app.extensions["list_query"] = canonical

    @app.before_request
    def _notice() -> None:
        if g.get("viewer") and (public_id := (request.view_args or {}).get("public_id")):
            remember_list(public_id)

    app.jinja_env.globals["list_address"] = list_address
    app.jinja_env.globals["leads_back"] = leads_back
