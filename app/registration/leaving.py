"""Unsaved changes that a page sends while the browser leaves it, and how the next page learns the result.

Such a page sends its changes under a random key (`avsted`), and nobody reads the response. The next page of the same
tab asks for that key (`venter`) until it has been handled, and names the form that was left (`etter`): changes by that
form are the user's own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import Response, request

from app.web.access import viewer
from app.web.responses import tell_page
from services.participation import left_saves

if TYPE_CHECKING:
    from services.tables.participants import Participation

LEFT_KEY = "avsted"
LEAVING_NAMES = frozenset({LEFT_KEY, "venter", "etter"})


def is_key(text: str) -> bool:
    """True for a key of the form that our pages make."""
    return re.fullmatch("[0-9a-f]{32}", text) is not None


def has_no_key_of_ours() -> bool:
    """True if the form contains an invalid key."""
    given = [text for name in LEAVING_NAMES for text in request.form.getlist(name)]
    return not all(map(is_key, given))


def _key(name: str) -> str | None:
    return request.form.get(name)


def sent_while_leaving() -> str | None:
    """The key of this request if it was sent while the page was being left."""
    return _key(LEFT_KEY)


def left_form() -> str | None:
    """The key of the form that was left before this one was shown."""
    return _key("etter")


def tell_what_became(answer: Response, participation: Participation) -> Response:
    """Tell the page when the request it waits for has been handled."""
    if (key := _key("venter")) and left_saves.is_handled(key, viewer().user_id, participation.id):
        tell_page(answer, "ventet")
    return answer
