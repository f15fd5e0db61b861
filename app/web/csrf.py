"""CSRF tokens, which look different in each response.

Each session has one secret. A response contains a random mask and the secret under that mask, so that an observer of
the lengths of compressed responses finds nothing constant to guess (BREACH). All forms of one response have the same
token, which compresses to nothing from the second on.

A public form may stay open for long, while its session ends or is replaced. So it has a second token, signed and not
bound to a session, which is valid for a day and for its own address. Anybody can get such a token, also the owner of
another site: it is accepted only if the browser says that the form is on a page of ours. Otherwise the page is shown
again (`OldPage`).
"""

import json
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from hashlib import sha256
from hmac import compare_digest
from secrets import token_bytes, token_hex

from flask import Flask, Response, current_app, g, request, session
from flask_wtf.csrf import CSRFError, CSRFProtect
from itsdangerous import BadSignature, SignatureExpired, TimestampSigner

from app.web.responses import is_from_own_page
from services.access.viewer import Viewer

PAGE_FIELD = "page_token"
PAGE_SECONDS = 24 * 3600

_FIELD = "csrf_token"
_BYTES = 18  # a multiple of three needs no padding in base64
_MASK_CHARACTERS = _BYTES // 3 * 4


class OldPage(CSRFError):
    """A form of ours whose tokens are too old, or whose browser does not state its origin."""


def csrf_token() -> str:
    """The token of this response's forms. The session gets a secret with its first form."""
    if _FIELD not in session:
        session[_FIELD] = token_hex(_BYTES)
    if "csrf_mask" not in g:
        g.csrf_mask = token_bytes(_BYTES)
    return _masked(session[_FIELD], g.csrf_mask)


def tell_token(answer: Response, who: Viewer) -> None:
    """Send the token of this session to the page on screen, if the page belongs to the user, for its forms:
    sign_in_again.js listens for it."""
    event = {"target": "body", "token": csrf_token(), "user": who.username}
    answer.headers["HX-Trigger"] = json.dumps({"innlogget": event})


def page_token(address: str) -> str:
    """The second token of a public form with this address, beside the session's token."""
    return _page_signer(address).sign("page").decode("ascii")


def _page_signer(address: str) -> TimestampSigner:
    return TimestampSigner(str(current_app.secret_key), salt=f"page {address}", digest_method=sha256)


class MaskedTokens(CSRFProtect):
    """Flask-WTF's protection of every POST, for tokens under masks. No view is exempt."""

    def init_app(self, app: Flask) -> None:
        """Check all requests of the program, and provide `csrf_token` to its templates."""
        super().init_app(app)
        app.jinja_env.globals |= {"csrf_token": csrf_token, "page_token": page_token}
        app.context_processor(lambda: {"csrf_token": csrf_token})  # takes precedence over the extension's own

    def protect(self, apply_exemptions: bool = False) -> None:
        """Refuse a form without a token of ours; over https also one that does not say that its page is ours."""
        if request.endpoint is None or request.method not in current_app.config["WTF_CSRF_METHODS"]:
            return
        if not (_is_own(request.form.get(_FIELD, "")) or _is_of_own_page()):
            raise CSRFError
        if request.is_secure and not (request.referrer or "").startswith(f"https://{request.host}/"):
            raise CSRFError


def _is_of_own_page() -> bool:
    """True for a public form with its page's token. Raises `OldPage` if that is not enough."""
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
    # Sessions from before masks were introduced have a longer secret; its beginning is long enough.
    covered = (one ^ other for one, other in zip(bytes.fromhex(secret), mask, strict=False))
    return urlsafe_b64encode(mask + bytes(covered)).decode("ascii")


def _is_own(sent: str) -> bool:
    """True for the session's secret under any mask: under the same mask, the token is identical."""
    try:
        mask = b64decode(sent[:_MASK_CHARACTERS].encode("ascii"), b"-_", validate=True)
    except (UnicodeEncodeError, BadBase64):
        return False
    if len(mask) != _BYTES or _FIELD not in session:
        return False
    return compare_digest(_masked(session[_FIELD], mask).encode(), sent.encode("utf-8", "replace"))
