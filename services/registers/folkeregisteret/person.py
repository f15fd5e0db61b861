"""A person's data from Folkeregisteret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Sex = Literal["kvinne", "mann"]
Protection = Literal["fortrolig", "strengtFortrolig"]


@dataclass(frozen=True, slots=True, repr=False)
class PersonRecord:
    """A person's current record. `repr` and `str` show none of it.

    national_id: the number in force; another one than requested if that has been replaced.
    first_name, last_name: in normal case; empty if the register has no name (an opphoert record).
    birth_country: ISO 3166 alpha-3, or XXK, XXX, XUK, SUN, YUG, CSK, DDR, ANT.
    marital_status, status: the API's codes (gift, enkeEllerEnkemann …; bosatt, utflyttet, doed …).
    arrival_year: the year of the earliest innflytting, None if none is registered.
    protection: the grade of adressebeskyttelse, which is itself confidential.
    municipality_number: four digits, of the registered home.
    earlier_ids: the person's earlier numbers, including a D-nummer.
    """

    national_id: str
    first_name: str = ""
    middle_name: str | None = None
    last_name: str = ""
    birth_date: date | None = None
    birth_year: int | None = None
    birth_country: str | None = None
    sex: Sex | None = None
    marital_status: str | None = None
    arrival_year: int | None = None
    protection: Protection | None = None
    status: str | None = None
    death_date: date | None = None
    municipality_number: str | None = None
    earlier_ids: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """First, middle and last name; empty if the register has none."""
        return " ".join(part for part in (self.first_name, self.middle_name, self.last_name) if part)

    @property
    def is_dead(self) -> bool:
        """True if the person is registered as dead, with or without a date."""
        return self.status == "doed" or self.death_date is not None

    def __repr__(self) -> str:
        return "PersonRecord(…)"
