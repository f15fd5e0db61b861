"""Identity providers by OpenID Connect, with Authlib.

Discovery, the code flow with PKCE (S256), state and nonce are always used. A token is accepted if its signature,
issuer, audience, expiry, nonce and level of assurance are right; otherwise the sign-in is refused (`Refused`). Source:
OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0; RFC 7636 and RFC 9207.
"""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import requests
from authlib.integrations.base_client.errors import MismatchingStateError, OAuthError
from authlib.integrations.flask_client import FlaskIntegration, FlaskOAuth2App
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from flask import Flask, Response, current_app, request, session
from joserfc.errors import ClaimError, JoseError

from app.connections.mail import vault
from app.settings.providers import ProviderSettings
from app.web.responses import respond
from services.accounts.external_identities import ProviderUser
from services.core.encryption import Unreadable
from services.core.text import is_encodable
from services.registers.http import CONNECT_TIMEOUT, READ_TIMEOUT, CircuitBreaker

# Authlib takes everything else in a provider's metadata for a setting of its own.
_USED = (
    "_loaded_at",
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "end_session_endpoint",
    "id_token_signing_alg_values_supported",
)
_MALFORMED = (JoseError, ArithmeticError, ValueError, LookupError, TypeError, AttributeError, RuntimeError)
_TEXTS = ("iss", "sub", "nonce", "acr", "azp", "sid", "at_hash", "c_hash", "email", "name", "jti")
_NUMBERS = ("exp", "iat", "nbf", "auth_time")
_METADATA_SECONDS = 24 * 3600  # how long a provider's metadata are used
_LEEWAY = 30  # seconds that two clocks may differ
_MOST_BEGUN = 5  # sign-ins of one session that have not returned yet, from tabs that were left
_LONGEST_SEALED = 400  # of a target in the state: providers accept addresses of 2 000 characters
_STATE = "state"
_FOR_ADDRESSES, _FROM_ADDRESSES = str.maketrans("+/", "-."), str.maketrans("-.", "+/")
# Signed with a key that only the provider has, which excludes «none», and HMAC with a shared secret.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
# Error codes from a provider (RFC 6749, section 4.1.2.1; OpenID Connect Core, section 3.1.2.6).
_TOLD = {
    "temporarily_unavailable": "down",
    "server_error": "down",
    "access_denied": "cancelled",
    "login_required": "cancelled",
    "interaction_required": "cancelled",
    "consent_required": "cancelled",
    "account_selection_required": "cancelled",
}

logging.getLogger("authlib").setLevel(logging.INFO)  # below that it logs secrets


class Refused(Exception):
    """The sign-in at a provider failed. `why`: «cancelled» by the user; «state»: too old, begun elsewhere, or used
    before; «acr»: the level of assurance is too low; «down»: no usable response; «token»: the token is invalid.
    `target`: the destination of the sign-in, if known."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why, self.target = why, ""


@dataclass(frozen=True)
class PendingSignIn:
    """The purpose of a sign-in: «sign-in», «accept» an invitation, or «tie» an identity to the signed-in user.
    `target`: the destination, or the invitation's encrypted token."""

    purpose: str
    target: str


class Provider(FlaskOAuth2App):
    """One provider. Its metadata are fetched when first needed."""

    server_metadata: dict[str, Any]

    def __init__(self, settings: ProviderSettings) -> None:
        self.settings = settings
        self._breaker = CircuitBreaker(threshold=3)
        self._lock = threading.Lock()  # while the metadata are fetched
        auth = self._key_auth() if settings.key_file else None
        super().__init__(
            FlaskIntegration(settings.name),
            settings.name,
            client_id=settings.client_id,
            client_secret=settings.key_file.read_text() if settings.key_file else settings.secret,
            client_auth_methods=[auth] if auth else None,
            server_metadata_url=f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid",
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": auth.name if auth else "client_secret_basic",
                "default_timeout": (CONNECT_TIMEOUT, READ_TIMEOUT),
                "max_redirects": 0,  # metadata fetched elsewhere could not be trusted
            },
        )

    def _key_auth(self) -> Any:
        headers = {"kid": self.settings.key_id} if self.settings.key_id else None
        return PrivateKeyJWT(token_endpoint=self.settings.issuer, headers=headers)

    @property
    def redirect_uri(self) -> str:
        """The address that the provider sends users back to. The host in a request is not trusted."""
        return f"{_public_url()}/logg-inn/med/{self.settings.name}/tilbake"

    def load_server_metadata(self) -> dict[str, Any]:
        """The provider's metadata as far as used, fetched anew each day; `Refused` if they are another provider's or
        malformed."""
        with self._lock:
            if time.time() - self.server_metadata.get("_loaded_at", 0) > _METADATA_SECONDS:
                self.server_metadata = {}
                found = super().load_server_metadata()
                self.server_metadata = {}
                if not self._is_sound(found):
                    raise Refused("down")
                offered = found.get("id_token_signing_alg_values_supported") or ["RS256"]
                found["id_token_signing_alg_values_supported"] = [one for one in _ALGORITHMS if one in offered]
                self.server_metadata = {name: found[name] for name in _USED if name in found}
            return dict(self.server_metadata)

    def _is_sound(self, metadata: dict[str, Any]) -> bool:
        scheme = self.settings.issuer.partition("://")[0]
        needed = [metadata.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        there = [*needed, metadata.get("end_session_endpoint", self.settings.issuer)]
        is_ours = metadata.get("issuer") == self.settings.issuer
        return is_ours and all(isinstance(one, str) and one.startswith(f"{scheme}://") for one in there)

    def begin(self, begun: PendingSignIn) -> str:
        """Begin a sign-in; returns the address at the provider to send the user to. Raises `Refused`."""
        wanted = {"acr_values": " ".join(self.settings.acr)} if self.settings.acr else {}
        state = _sealed_state(begun)
        made = self._asked(lambda: self.create_authorization_url(self.redirect_uri, state=state, **wanted))
        address = str(made.pop("url"))
        self._drop_older()
        self.save_authorize_data(redirect_uri=self.redirect_uri, purpose=begun.purpose, target=begun.target, **made)
        return address

    def _drop_older(self) -> None:
        mine = [key for key in session if key.startswith(f"_state_{self.settings.name}_")]
        mine.sort(key=lambda one: float(session[one]["exp"]), reverse=True)
        for key in mine[_MOST_BEGUN - 1 :]:
            session.pop(key)

    def finish(self) -> tuple[ProviderUser, PendingSignIn]:
        """Process the provider's redirect back. Raises `Refused`; the sign-in is used up in any case."""
        data = self.framework.get_state_data(session, request.args.get("state"))
        try:
            return self._finished(data)
        except Refused as problem:
            problem.target = target_in(request.args.get("state", ""))
            raise

    def _finished(self, data: Any) -> tuple[ProviderUser, PendingSignIn]:
        if request.args.get("iss", self.settings.issuer) != self.settings.issuer:  # RFC 9207
            raise Refused("token")
        claims, id_token = self._asked(self._claims)
        subject, sid = claims.get("sub"), claims.get("sid", "")
        if (
            not isinstance(subject, str)
            or not 0 < len(subject) <= 255
            or not subject.isascii()
            or not subject.isprintable()
        ):
            raise Refused("token")
        person = ProviderUser(self.settings.name, self.settings.issuer, subject, sid, id_token)
        return person, PendingSignIn(data["purpose"], data["target"])

    def _claims(self) -> tuple[dict[str, Any], str]:
        needed = {
            "iss": {"essential": True, "value": self.settings.issuer},
            "aud": {"essential": True, "value": self.client_id},
            "exp": {"essential": True},
            "nonce": {"essential": True},
        }
        if self.settings.acr:
            needed["acr"] = {"essential": True, "values": self.settings.accepted_acr}
        token = self.authorize_access_token(claims_options=needed, leeway=_LEEWAY)
        claims, id_token = token["userinfo"], token["id_token"]
        if not isinstance(id_token, str) or not _is_well_formed(claims) or not is_encodable(dict(claims)):
            raise ValueError("a claim of another kind than it must be")
        return claims, id_token

    def sign_out_address(self, id_token: str) -> str:
        """The address to sign a user out at the provider too; '' if the provider has none. Raises `Refused`."""
        if not self._asked(self.load_server_metadata).get("end_session_endpoint"):
            return ""
        back = f"{_public_url()}/logget-ut"
        made = self.create_logout_url(back, id_token, client_id=self.client_id)
        return str(made["url"])

    def _asked(self, question: Any) -> Any:
        """Call a function that may send a request to the provider; `Refused` if the response is not usable."""
        if not self._breaker.may_ask():
            raise Refused("down")
        try:
            answer = question()
        except (requests.RequestException, Refused) as problem:
            self._breaker.failed()
            raise self._refusal("down", problem) from None
        except MismatchingStateError as problem:
            raise self._refusal("state", problem) from None
        except OAuthError as problem:
            raise self._refusal(_TOLD.get(problem.error, "token"), problem) from None
        except ClaimError as problem:
            raise self._refusal("acr" if problem.claim == "acr" else "token", problem) from None
        except _MALFORMED as problem:
            # Authlib assumes that a provider's JSON has the right shape.
            raise self._refusal("token", problem) from None
        self._breaker.succeeded()
        return answer

    def _refusal(self, why: str, problem: Exception) -> Refused:
        """Convert an error to `Refused`. Only its kind is logged, since its text may contain tokens."""
        current_app.logger.warning("sign-in by %s refused: %s (%s)", self.settings.name, why, type(problem).__name__)
        return problem if isinstance(problem, Refused) else Refused(why)


def _sealed_state(begun: PendingSignIn) -> str:
    """The state of a sign-in: a secret, and the encrypted destination, which is then known even if the session that
    began it has ended. The provider cannot read it."""
    target = begun.target if begun.purpose == "sign-in" and len(begun.target) <= _LONGEST_SEALED else ""
    return vault().seal(target, _STATE).translate(_FOR_ADDRESSES)


def target_in(state: str) -> str:
    """The destination of the sign-in with this state, '' if unknown."""
    try:
        return vault().open(state.translate(_FROM_ADDRESSES), _STATE)
    except Unreadable:
        return ""


def _is_well_formed(claims: Mapping[str, Any]) -> bool:
    """True if each claim has its specified type (OpenID Connect Core, sections 2 and 5.1): a library that finds a list
    instead of a text may accept it."""

    def is_texts(value: Any) -> bool:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)

    def is_number(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)

    return (
        all(isinstance(claims[name], str) for name in _TEXTS if name in claims)
        and all(is_number(claims[name]) for name in _NUMBERS if name in claims)
        and (isinstance(claims["aud"], str) or is_texts(claims["aud"]))
        and is_texts(claims.get("amr", []))
    )


def begun_targets() -> dict[str, str]:
    """The destinations of this session's sign-ins that have not returned yet, by state."""
    begun = ((key, session[key].get("data", {})) for key in list(session) if key.startswith("_state_"))
    return {key.rpartition("_")[2]: data["target"] for key, data in begun if data.get("purpose") == "sign-in"}


def _public_url() -> str:
    return str(current_app.config["SETTINGS"].public_url)


def onward(provider: ProviderSettings, address: str, *, is_out: bool = False) -> Response:
    """A page that continues to the provider automatically, where a redirect is not possible: the content policy keeps
    the targets of forms on this site."""
    answer = respond("accounts/onward.html", address=address, label=provider.label, is_out=is_out)
    answer.headers["Refresh"] = f"0; url={address}"
    return answer


def init_providers(app: Flask) -> None:
    """Create the providers of the settings; no requests are sent yet."""
    found = app.config["SETTINGS"].providers
    app.extensions["providers"] = {one.name: Provider(one) for one in found}
    app.jinja_env.globals["identity_providers"] = found


def providers() -> dict[str, Provider]:
    """The providers by name, in the order of the settings."""
    found: dict[str, Provider] = current_app.extensions["providers"]
    return found
