"""Tokens against forms of other sites (CSRF), which look different in each answer.

Each visit has one secret. What an answer carries is a random mask and the secret under that mask, so whoever watches
the lengths of compressed answers has nothing to guess at that stays the same from one to the next (BREACH). All forms
of one answer carry the same text, which compresses to nothing from the second on.

A form that anybody may send stands open for long, and its visit ends meanwhile or becomes another one. So it carries a
second token, signed and not bound to a visit, which is good for a day and for its own address. Anybody can have such a
token, also another site's owner: it counts only where the browser says that the form stands on a page of ours. Where it
says nothing, the page is shown anew (`OldPage`).
"""

import json
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from hashlib import sha256
from hmac import compare_digest
from secrets import token_bytes, token_hex

from flask import Flask, Response, current_app, g, request, session
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from itsdangerous import BadSignature, SignatureExpired, TimestampSigner

from app.web.responses import is_from_own_page
from services.access.viewer import Viewer

PAGE_FIELD = "page_token"
PAGE_SECONDS = 24 * 3600

_FIELD = "csrf_token"
_BYTES = 18  # a multiple of three needs no padding in base64
_MASK_CHARACTERS = _BYTES // 3 * 4


class OldPage(CSRFError):
    """A form of ours whose tokens are too old, or whose browser does not say where it stood."""


def csrf_token() -> str:
    """What the forms of this answer carry. The visit gets a secret with its first form."""
    if _FIELD not in session:
        session[_FIELD] = token_hex(_BYTES)
    if "csrf_mask" not in g:
        g.csrf_mask = token_bytes(_BYTES)
    return _masked(session[_FIELD], g.csrf_mask)


def tell_token(answer: Response, who: Viewer) -> None:
    """Let the page on screen, which is hers, put the token of this visit into its forms: sign_in_again.js listens."""
    told = {"target": "body", "token": csrf_token(), "user": who.username}
    answer.headers["HX-Trigger"] = json.dumps({"innlogget": told})


def page_token(address: str) -> str:
    """What a form that anybody may send to this address carries, beside the token of the visit."""
    return _page_signer(address).sign("page").decode("ascii")


def _page_signer(address: str) -> TimestampSigner:
    return TimestampSigner(str(current_app.secret_key), salt=f"page {address}", digest_method=sha256)


class MaskedTokens(CSRFProtect):
    """Flask-WTF's check of every POST, for tokens under masks."""

    def init_app(self, app: Flask) -> None:
        """Check all requests of the program, and let its templates have `csrf_token`."""
        super().init_app(app)
        app.jinja_env.globals |= {"csrf_token": csrf_token, "page_token": page_token}
        app.context_processor(lambda: {"csrf_token": csrf_token})  # which goes before the extension's own

    def _get_csrf_token(self) -> str | None:
        """Flask-WTF's own token of the visit, if the form came with one of ours; `None` is refused."""
        is_ours = _is_own(request.form.get(_FIELD, "")) or _is_of_own_page()
        return str(generate_csrf()) if is_ours else None


def _is_of_own_page() -> bool:
    """True for a form that anybody may send, with its page's token. Raises `OldPage` where that is not enough."""
    sent = request.form.get(PAGE_FIELD, "")
    try:
        _page_signer(request.path).unsign(sent, max_age=PAGE_SECONDS)
    except SignatureExpired:
        raise OldPage from None
    except BadSignature:
        return False
    if not is_from_own_page():
        raise OldPage
    return True


def _masked(secret: str, mask: bytes) -> str:
    # Visits that began before there were masks have a longer secret; the beginning of it is long enough.
    covered = (one ^ other for one, other in zip(bytes.fromhex(secret), mask, strict=False))
    return urlsafe_b64encode(mask + bytes(covered)).decode("ascii")


def _is_own(sent: str) -> bool:
    """True for the visit's secret under any mask: put under the same mask, it is the very same text."""
    try:
        mask = b64decode(sent[:_MASK_CHARACTERS].encode("ascii"), b"-_", validate=True)
    except (UnicodeEncodeError, BadBase64):
        return False
    if len(mask) != _BYTES or _FIELD not in session:
        return False
    return compare_digest(_masked(session[_FIELD], mask).encode(), sent.encode("utf-8", "replace"))
