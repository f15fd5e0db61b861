"""The list of users: parsing its address and its form, and its rows as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from flask import abort, request, url_for

from app.accounts.forms import UserSearchForm
from app.web.access import viewer
from app.web.formatting import clock_text, moment_text
from services.access.viewer import ROLE_LABELS
from services.accounts.administration import Administered, Grant, UserState
from services.accounts.user_list import ListedUser, Mail, UserColumn, UserQuery, Words, page_of
from services.accounts.user_list import listed as listed_user
from services.core.clock import OSLO_TIME, today
from services.core.code_lists import municipality_name
from services.core.collation import sort_key
from services.core.i18n import N_, ngettext
from services.core.i18n import gettext as _
from services.listing import stored_searches as searches
from services.listing.stored_searches import StoredSearch
from services.mail.outbox import is_delayed, last_to

if TYPE_CHECKING:
    from services.tables.accounts import OutboxMessage

_PAGE_SIZE = 50
STATE_WORDS = {
    UserState.INVITED: (N_("Invitert"), "info"),
    UserState.ACTIVE: (N_("Aktiv"), "success"),
    UserState.EXPIRED: (N_("Utløpt"), "warning"),
    UserState.BLOCKED: (N_("Sperret"), "danger"),
}
_FAILED = N_("Kunne ikke leveres")
_INVITED = frozenset({UserState.INVITED, UserState.EXPIRED})


@dataclass(frozen=True)
class UserRow:
    """A row of the list as text. `mail`: the last e-mail to the user's address; `delay`: when it is sent again."""

    user: ListedUser
    places: str
    roles: str
    state: str
    color: str
    mail: OutboxMessage | None
    delay: str


def row_of(one: Administered) -> UserRow:
    """A row for one user, with the last e-mail to the user's address."""
    return _row(listed_user(one), last_to({one.user.id: one.user.email}).get(one.user.id), *_grant_words(one.grants))


def _rows_of(users: Sequence[ListedUser]) -> list[UserRow]:
    """Rows for users, with the last e-mail to invited ones if it has not arrived."""
    mails = last_to({user.id: user.email for user in users if user.state in _INVITED}, in_trouble=True)
    return [_row(user, mails.get(user.id), *_grant_words(user.grants)) for user in users]


def _grant_words(grants: frozenset[Grant]) -> tuple[str, str]:
    """The municipalities and the labels of some roles."""
    places = sorted({municipality_name(number) for _role, number in grants if number}, key=sort_key)
    held = {role for role, _number in grants}
    return ", ".join(places), ", ".join(_(label) for role, label in ROLE_LABELS.items() if role in held)


def _row(user: ListedUser, mail: OutboxMessage | None, places: str, roles: str) -> UserRow:
    state, color = STATE_WORDS[user.state]
    word, delay = _(state), _delay_text(mail)
    if user.state in _INVITED and mail and (mail.failed_at or delay):
        word, color = (_(_FAILED), "danger") if mail.failed_at else (delay, "warning")
    return UserRow(user, places, roles, word, color, mail, delay)


def _delay_text(mail: OutboxMessage | None) -> str:
    """When a failed e-mail is sent again; '' if it is not."""
    at = mail.next_try_at if mail and is_delayed(mail) else None
    if at is None:
        return ""
    if at.astimezone(OSLO_TIME).date() != today():
        return _("Forsinket, prøves igjen %(at)s") % {"at": moment_text(at)}
    return _("Forsinket, prøves igjen kl. %(at)s") % {"at": clock_text(at)}


_COLUMNS = {
    "navn": (N_("Navn"), UserColumn.NAME),
    "brukernavn": (N_("Brukernavn"), UserColumn.USERNAME),
    "epost": (N_("E-post"), UserColumn.EMAIL),
    "telefon": (N_("Jobbtelefon"), UserColumn.PHONE),
    "kommuner": (N_("Kommuner"), UserColumn.PLACES),
    "rolle": (N_("Rolle"), UserColumn.ROLES),
    "tilstand": (N_("Status"), UserColumn.STATE),
    "innlogget": (N_("Sist innlogget"), UserColumn.SIGNED_IN),
}


@dataclass(frozen=True)
class UserListRequest:
    """A request of the list: the id and words of a stored search, the order, the page."""

    search: str = ""
    words: str = ""
    column: str = "navn"
    descending: bool = False
    page: int = 1

    @property
    def address(self) -> str:
        """The address of this list."""
        pairs = {
            "sok": self.search,
            "sorter": self.column if (self.column, self.descending) != ("navn", False) else "",
            "retning": "synkende" if self.descending else "",
            "side": str(self.page) if self.page > 1 else "",
        }
        query = urlencode({name: value for name, value in pairs.items() if value})
        return url_for("accounts.users") + (f"?{query}" if query else "")


def from_address() -> UserListRequest:
    """Parse the request's address; 400 for unknown values."""
    return _read(request.args.to_dict())


def _read(pairs: dict[str, str]) -> UserListRequest:
    column, way, page = pairs.get("sorter", "navn"), pairs.get("retning", ""), pairs.get("side", "1")
    is_page = page.isascii() and page.isdecimal() and len(page) < 6 and int(page) > 0
    if column not in _COLUMNS or way not in {"", "synkende"} or not is_page:
        abort(400)
    kept = searches.recall(viewer(), pairs.get("sok", "")) if pairs.get("sok") else None
    search, words = (pairs["sok"], kept.words[0]) if kept and kept.words else ("", "")
    return UserListRequest(search, words, column, way == "synkende", int(page))


def from_form() -> UserListRequest:
    """Parse the search form, in the order of the list that it was sent from."""
    form = UserSearchForm()
    before, words = _read(dict(parse_qsl(form.shown.data))), form.words.data
    if words == before.words:
        return replace(before, page=1)
    search = searches.keep(viewer(), StoredSearch((words,))) if words else ""
    return replace(before, search=search, words=words, page=1)


def listed(asked: UserListRequest) -> dict[str, Any]:
    """The template's values for the list."""
    wanted = UserQuery(asked.words, _COLUMNS[asked.column][1], asked.descending, asked.page, _PAGE_SIZE)
    found = page_of(viewer(), wanted, _words())
    number = ngettext("%(n)s bruker", "%(n)s brukere", found.total) % {"n": found.total}
    written = asked.address.partition("?")[2]
    how = _("synkende") if asked.descending else _("stigende")
    order = _("sortert etter %(column)s, %(how)s") % {"column": _(_COLUMNS[asked.column][0]).lower(), "how": how}
    return {
        "form": UserSearchForm(formdata=None, words=asked.words, shown=written),
        "rows": _rows_of(found.users),
        "number": number,
        "order": order,
        "headings": [_heading(asked, column) for column in _COLUMNS],
        "before": replace(asked, page=found.page - 1).address if found.page > 1 else "",
        "after": replace(asked, page=found.page + 1).address if found.page < found.pages else "",
        "said": f"{number}, {order}.",
    }


def _words() -> Words:
    states = {state: _(word) for state, (word, _color) in STATE_WORDS.items()}
    roles = {role: _(label) for role, label in ROLE_LABELS.items()}
    return Words(roles, states | {Mail.FAILED: _(_FAILED), Mail.DELAYED: _("Forsinket, prøves igjen")})


def _heading(asked: UserListRequest, column: str) -> tuple[str, str, str, str]:
    """A column's heading: (label, address of a click, present order, key)."""
    is_present = asked.column == column
    sort = ("descending" if asked.descending else "ascending") if is_present else "none"
    after = replace(asked, column=column, descending=is_present and not asked.descending, page=1)
    return _(_COLUMNS[column][0]), after.address, sort, column
