"""The demo users, and the names of colleagues who never sign in but have registered participants."""

from dataclasses import dataclass
from random import Random

from services.access.viewer import OSLO, Role
from services.core.code_lists import municipality_name

PASSWORD = "demo-passord-2026"  # noqa: S105 - meant to be known; demo users are refused in production
BERGEN = "4601"
ASKOY = "4627"


@dataclass(frozen=True, kw_only=True)
class DemoUser:
    """A user to sign in as. `told`: a short description; IMDi's users have no municipalities."""

    username: str
    name: str
    told: str
    role: Role
    municipality_numbers: tuple[str, ...] = ()
    sees_protected: bool = False

    @property
    def email(self) -> str:
        """A reserved address that reaches nobody (RFC 2606)."""
        return f"{self.username}@example.org"


USERS = (
    DemoUser(
        username="kari.oslo",
        name="Kari Østlie",
        told="caseworker in Oslo",
        role=Role.CASEWORKER,
        municipality_numbers=(OSLO,),
    ),
    DemoUser(
        username="berit.bergen",
        name="Berit Fløysand",
        told="caseworker in Bergen",
        role=Role.CASEWORKER,
        municipality_numbers=(BERGEN,),
    ),
    DemoUser(
        username="anne.tokommuner",
        name="Anne Kleppestø",
        told="caseworker in Bergen and Askøy",
        role=Role.CASEWORKER,
        municipality_numbers=(BERGEN, ASKOY),
    ),
    DemoUser(
        username="siri.vern",
        name="Siri Aasen Lund",
        told="caseworker in Oslo, sees protected addresses",
        role=Role.CASEWORKER,
        municipality_numbers=(OSLO,),
        sees_protected=True,
    ),
    DemoUser(
        username="admin.bergen",
        name="Arne Nygård",
        told="municipal administrator in Bergen",
        role=Role.MUNICIPAL_ADMIN,
        municipality_numbers=(BERGEN,),
    ),
    DemoUser(username="ida.imdi", name="Ida Sæther", told="reads at IMDi", role=Role.IMDI_READER),
    DemoUser(username="admin.imdi", name="Odd Åmodt", told="administrator at IMDi", role=Role.IMDI_ADMIN),
)

_STAFF = {
    OSLO: ("kari.oslo", "per.oslo", "kari.oslo", "lise.oslo", "ahmed.oslo", "tone.oslo"),
    BERGEN: ("berit.bergen", "anne.tokommuner", "berit.bergen", "jon.bergen", "eva.bergen"),
    ASKOY: ("anne.tokommuner", "liv.askoy"),
}
# Users who may see protected participants.
_TRUSTED = {OSLO: "siri.vern", BERGEN: "tor.bergen"}
_FIRST_NAMES = ("ingrid", "ola", "marit", "hassan", "silje", "bjorn", "hanne", "tove", "knut", "mona", "eli", "nina")
_PLAIN = str.maketrans({"æ": "ae", "ø": "o", "å": "a", " ": "", "-": ""})


def staff(municipality_number: str, *, protected: bool) -> tuple[str, ...]:
    """The user names of a municipality's caseworkers, the busiest more than once."""
    place = municipality_name(municipality_number).lower().translate(_PLAIN)
    if protected:
        return (_TRUSTED.get(municipality_number, f"vigdis.{place}"),)
    if municipality_number in _STAFF:
        return _STAFF[municipality_number]
    first, second = Random(municipality_number).sample(_FIRST_NAMES, 2)
    return (f"{first}.{place}", f"{first}.{place}", f"{second}.{place}")
