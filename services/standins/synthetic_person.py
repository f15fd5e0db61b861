"""A person of the synthetic population."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.registers.folkeregisteret.person import PersonRecord, Protection, Sex


@dataclass(frozen=True, slots=True)
class Arrival:
    """One innflytting: the day it became valid (in Norway), and the country of departure."""

    day: date
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticPerson:
    """A synthetic person, who does not exist.

    number: the one to look up; current_number: the one in force, different only for the kind `replaced`. Names are in
    normal case; in_capitals: the register writes them in capitals. earlier_last_name: only in the history. arrivals: in
    order of time. kinds: those of `population.PUBLISHED_KINDS`, and norwegian_born, sami_name, man, child, elderly,
    moved_out, no_name (an opphoert record), no_arrival, several_arrivals, capitals.

    `ordinary` is eligible for registration: a woman of 18 to 55 years from 2023 to 2031, foreign-born, resident, alive,
    without protection, with a fødselsnummer in force and a name of common length.
    """

    number: str
    current_number: str
    first_name: str
    middle_name: str | None
    last_name: str
    earlier_last_name: str | None
    in_capitals: bool
    birth_date: date | None
    birth_country: str | None
    sex: Sex
    marital_status: str
    arrivals: tuple[Arrival, ...]
    protection: Protection | None
    status: str
    death_date: date | None
    municipality_number: str | None
    kinds: frozenset[str]

    @property
    def full_name(self) -> str:
        """First, middle and last name, empty for the kind `no_name`."""
        return " ".join(part for part in (self.first_name, self.middle_name, self.last_name) if part)

    def record(self) -> PersonRecord:
        """The record that the client's `look_up` returns for this person."""
        return PersonRecord(
            national_id=self.current_number,
            first_name=self.first_name,
            middle_name=self.middle_name,
            last_name=self.last_name,
            birth_date=self.birth_date,
            birth_year=self.birth_date.year if self.birth_date else None,
            birth_country=self.birth_country,
            sex=self.sex,
            marital_status=self.marital_status,
            arrival_year=self.arrivals[0].day.year if self.arrivals else None,
            protection=self.protection,
            status=self.status,
            death_date=self.death_date,
            municipality_number=self.municipality_number,
            earlier_ids=() if self.number == self.current_number else (self.number,),
        )
