"""Every form of the program, with a value in each field."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from services.core.status import Status
from services.tables.participants import Participation
from tests.support.addresses import get_addresses
from tests.support.client import CheckedClient, tree_of
from tests.support.forms import Form
from tests.support.house import IS_PLAIN, House, of_places

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Found:
    """A form on a page: the view that receives it, its address, the values that one of its buttons sends, and the names
    of all its fields."""

    endpoint: str
    address: str
    pairs: tuple[tuple[str, str], ...]
    names: frozenset[str]


def forms_of(house: House, username: str | None, browser: CheckedClient | None = None) -> list[Found]:
    """Every form that the user finds (with the given client), and each of its buttons."""
    client = browser or house.client(username)
    found: dict[tuple[str, frozenset[str]], Found] = {}
    discharged = house.participants(of_places(username or "kari.oslo"), Participation.status == Status.DISCHARGED)[0]
    deleted = house.participants(Participation.deleted_at.is_not(None), IS_PLAIN)[0]
    more = [f"/deltakere/{discharged}/gjenapne", f"/deltakere/{deleted}/gjenopprett"]
    for address in [*get_addresses(house, username), *more]:
        page = client.get(address)
        page.get_data()
        page.close()
        if page.mimetype != "text/html" or page.status_code not in {200, 410}:
            continue
        tree = tree_of(page)
        for form in (Form(tree, element) for element in tree.elements("form")):
            for pairs, target in _ways(form):
                endpoint, _values = house.app.url_map.bind("localhost").match(target or address, method="POST")
                names = {name for name, _value in pairs} | {control.name for control in form.controls}
                one = Found(endpoint, target or address, tuple(pairs), frozenset(names - {""}))
                found.setdefault((endpoint, one.names), one)
    return list(found.values())


def _ways(form: Form) -> Iterator[tuple[Pairs, str]]:
    buttons: list[Element | None] = [*form.buttons] or [None]
    for button in buttons:
        method, target = form.target(button)
        if method == "POST":
            yield form.pairs(button), target


# Permitted statuses for a form, never a server error: 429 asks to wait, 409 and 422 report errors.
ANSWERS = {200, 204, 303, 400, 403, 404, 409, 410, 413, 422, 429}
