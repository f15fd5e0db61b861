"""The settings of the identity providers that users may sign in with (OpenID Connect)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.settings.checks import BadSetting, address, is_local

# Levels of assurance, the lowest first: a higher level satisfies a request for a lower one. Source: the providers' own
# lists, as in section 8 of the domain.
_LADDERS = (
    ("idporten-loa-low", "idporten-loa-substantial", "idporten-loa-high"),
    ("substantial", "high"),
)
_LABELS = {"idporten": "ID-porten", "ansattporten": "Ansattporten", "entra": "Entra ID"}


@dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """The settings of one provider. `name` is used in addresses, `label` on screen.

    `secret` or `key_file` (PEM, RSA; `key_id` if the provider uses one) authenticates the program to the provider.
    `acr`: the levels of assurance to request; none if the provider has no levels. Its sign-in then counts as a
    password, followed by our own second factor.
    """

    name: str
    label: str
    issuer: str
    client_id: str
    secret: str = field(repr=False)
    key_file: Path | None
    key_id: str
    acr: tuple[str, ...]

    @property
    def accepted_acr(self) -> list[str]:
        """The sufficient levels: the requested ones, and the higher ones of the same ladder."""
        climbed = [ladder[ladder.index(one) :] for ladder in _LADDERS for one in self.acr if one in ladder]
        return sorted({*self.acr, *(level for levels in climbed for level in levels)})


def providers_from(environ: Mapping[str, str], *, only_https: bool) -> tuple[ProviderSettings, ...]:
    """The providers of OIDC_PROVIDERS, in its order; raises `BadSetting`. `only_https`: as in production."""
    names = re.split(r"[\s,]+", environ.get("OIDC_PROVIDERS", "").strip().lower())
    if names == [""]:
        return ()
    for name in names:
        if not re.fullmatch(r"[a-z][a-z0-9]{0,19}", name):
            raise BadSetting(f"OIDC_PROVIDERS must be names of letters and digits with commas between, not {name!r}")
    if len(set(names)) < len(names):
        raise BadSetting("OIDC_PROVIDERS names a provider twice")
    found = tuple(_provider(environ, name, only_https=only_https) for name in names)
    for number, one in enumerate(found):
        if one.issuer in {earlier.issuer for earlier in found[:number]}:
            raise BadSetting(f"OIDC_{one.name.upper()}_ISSUER is another provider's already")
    return found


def _provider(environ: Mapping[str, str], name: str, *, only_https: bool) -> ProviderSettings:
    prefix = f"OIDC_{name.upper()}_"

    def value(what: str) -> str:
        return environ.get(prefix + what, "").strip()

    def needed(what: str) -> str:
        if not value(what):
            raise BadSetting(f"{prefix}{what} must be set: OIDC_PROVIDERS names {name}")
        return value(what)

    issuer = needed("ISSUER")
    address(f"{prefix}ISSUER", issuer)  # compared exactly with the issuer in a token, so no slash is removed
    if not issuer.startswith("https://") and (only_https or not is_local(issuer)):
        raise BadSetting(f"{prefix}ISSUER must be an https address")
    secret, key_file = value("CLIENT_SECRET"), value("KEY_FILE")
    if bool(secret) == bool(key_file):
        raise BadSetting(f"either {prefix}CLIENT_SECRET or {prefix}KEY_FILE must be set")
    if key_file and not Path(key_file).is_file():
        raise BadSetting(f"{prefix}KEY_FILE must name a readable PEM file")
    return ProviderSettings(
        name=name,
        label=value("LABEL") or _LABELS.get(name, name.capitalize()),
        issuer=issuer,
        client_id=needed("CLIENT_ID"),
        secret=secret,
        key_file=Path(key_file) if key_file else None,
        key_id=value("KEY_ID"),
        acr=tuple(re.split(r"[\s,]+", value("ACR"))) if value("ACR") else (),
    )
