"""Known devices: a signed cookie tells the throttle which users have signed in on a device before.

The cookie gives no access. It has a random name of the device for each user that has signed in fully on it; wrong
passwords by strangers do not delay a user on a known device.
"""

import secrets

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from app.accounts import letters
from app.accounts.blueprint import sender_address
from app.connections.mail import outbox
from services.accounts.sign_in import AttemptOrigin

_DAYS = 180
_MOST_USERS = 8  # of one device; the last ones signed in
_LONGEST = 2000


def _cookie() -> str:
    return "__Host-enhet" if current_app.config["SESSION_COOKIE_SECURE"] else "enhet"


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="device")


def _known() -> dict[int, str]:
    sent = request.cookies.get(_cookie(), "")
    if not sent or len(sent) > _LONGEST:
        return {}
    try:
        return {int(user): str(name) for user, name in _signer().loads(sent, max_age=_DAYS * 86_400)}
    except (BadSignature, TypeError, ValueError):
        return {}


def origin() -> AttemptOrigin:
    """The origin of the current request, for the throttle."""
    return AttemptOrigin(address=sender_address(), devices=_known(), outbox=outbox(), warning=letters.many_wrong)


def remember(answer: Response, user_id: int) -> Response:
    """Mark the device as known for the user."""
    known = _known()
    name = known.pop(user_id, "") or secrets.token_urlsafe(12)
    kept = [*known.items(), (user_id, name)][-_MOST_USERS:]
    answer.set_cookie(
        _cookie(),
        _signer().dumps(kept),
        max_age=_DAYS * 86_400,
        path="/",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return answer
