"""The second factor: codes that change every 30 seconds (TOTP, RFC 6238), and recovery codes for a lost telephone.

The secret is encrypted in the database. A code is accepted from 30 seconds before to 30 seconds after its time, once.
"""

import re
import secrets

import pyotp
import segno
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from services.access.audit import Action, note
from services.core.db import now, session, writing
from services.core.encryption import Unreadable, Vault
from services.core.text import plain_line
from services.tables.accounts import RecoveryCode, User

ISSUER = "Jobbsjanseregisteret"
STEP_SECONDS = 30
_STEPS_AROUND = 1
RECOVERY_CODES = 10
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no characters that look alike
_RECOVERY_LENGTH = 12  # 59 bits


def new_secret() -> str:
    """A new TOTP secret: 160 random bits in base 32."""
    return pyotp.random_base32()


def in_groups(secret: str) -> str:
    """The secret in groups of four, for typing by hand."""
    return " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))


def picture(secret: str, username: str) -> str:
    """The QR code of a secret as a `data:` address of an SVG picture, dark on white in any colour scheme."""
    address = pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)
    return segno.make_qr(address, error="m").svg_data_uri(scale=5, border=4, light="#fff", omitsize=False)


def is_set(user_id: int) -> bool:
    """True if the user has a second factor."""
    return session().scalar(select(User.totp_secret).where(User.id == user_id)) is not None


def codes_left(user_id: int) -> int:
    """The number of unused recovery codes."""
    unused = select(RecoveryCode.id).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return len(session().scalars(unused).all())


def begin_with(vault: Vault, user_id: int, secret: str, code: str) -> list[str] | None:
    """Store the secret if the code matches it; returns the recovery codes, to be shown once. `None` if the code is
    wrong, or the user already has a second factor."""
    counter = _matching(secret, code)
    if counter is None:
        return None
    with writing() as work:
        user = work.get_one(User, user_id, with_for_update=True, populate_existing=True)
        if user.totp_secret is not None:
            return None
        user.totp_secret, user.totp_counter = vault.seal(secret, _purpose(user_id)), counter
        codes = _renew_codes(work, vault, user_id)
        note(Action.FACTOR_SET, user_id=user_id, detail={"user": user_id})
    return codes


def is_right(vault: Vault, user_id: int, code: str) -> bool:
    """True if the code is a valid TOTP code or recovery code; it is used up by this."""
    return _use_totp(vault, user_id, code) or _use_recovery_code(vault, user_id, code)


def renew_recovery_codes(vault: Vault, user_id: int) -> list[str]:
    """Replace all recovery codes; returns the new ones, to be shown once."""
    with writing() as work:
        codes = _renew_codes(work, vault, user_id)
        note(Action.RECOVERY_CODES, user_id=user_id, detail={"user": user_id})
    return codes


def forget(work: Session, user_id: int) -> None:
    """Remove the second factor within the caller's transaction: the user sets up a new one at the next sign-in."""
    work.execute(update(User).where(User.id == user_id).values(totp_secret=None, totp_counter=None))
    work.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def _purpose(user_id: int) -> str:
    return f"totp {user_id}"


def _matching(secret: str, code: str) -> int | None:
    """The time step that the code belongs to; None if the code is wrong."""
    digits = plain_line(code).replace(" ", "")
    totp = pyotp.TOTP(secret)
    present = totp.timecode(now())
    found = None
    for counter in range(present - _STEPS_AROUND, present + _STEPS_AROUND + 1):
        if secrets.compare_digest(totp.generate_otp(counter).encode(), digits.encode("utf-8", "surrogatepass")):
            found = counter
    return found


def _use_totp(vault: Vault, user_id: int, code: str) -> bool:
    sealed = session().scalar(select(User.totp_secret).where(User.id == user_id))
    if sealed is None:
        return False
    try:
        counter = _matching(vault.open(sealed, _purpose(user_id)), code)
    except Unreadable:  # SECRET_KEY has changed: an administrator must reset the factor; recovery codes fail too
        return False
    if counter is None:
        return False
    later = (User.totp_counter.is_(None)) | (User.totp_counter < counter)
    with writing() as work:
        used = work.execute(
            update(User)
            .where(User.id == user_id, User.totp_secret == sealed, later)
            .values(totp_counter=counter)
            .returning(User.id)
        ).all()
    return bool(used)


def _renew_codes(work: Session, vault: Vault, user_id: int) -> list[str]:
    work.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    work.add_all(RecoveryCode(user_id=user_id, code_hash=_code_digest(vault, user_id, code)) for code in codes)
    return ["-".join(code[place : place + 4] for place in range(0, len(code), 4)) for code in codes]


def _use_recovery_code(vault: Vault, user_id: int, code: str) -> bool:
    plain = re.sub("[ -]", "", plain_line(code)).lower()
    if len(plain) != _RECOVERY_LENGTH:
        return False
    digest = _code_digest(vault, user_id, plain)
    unused = (RecoveryCode.user_id == user_id) & (RecoveryCode.code_hash == digest) & RecoveryCode.used_at.is_(None)
    with writing() as work:
        used = work.execute(update(RecoveryCode).where(unused).values(used_at=now()).returning(RecoveryCode.id)).all()
        if used:
            note(Action.RECOVERY_CODE_USED, user_id=user_id, detail={"user": user_id})
    return bool(used)


def _code_digest(vault: Vault, user_id: int, code: str) -> str:
    return vault.digest("recovery code", user_id, code)
