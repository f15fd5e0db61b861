"""The tables of participants, searches, history and logs. `Person` is a human for life, `Participation` one stay in one
programme.

The columns of the participant list are copied into `Participation` (name, number and the stored sort keys), so that the
list reads one table. On discharge the copied name is emptied, which removes the name from list, sort order, titles and
downloads.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Computed,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.db import Base, UtcDateTime, json_type, long_id, sort_text
from services.core.row_keys import new_row_key


class Municipality(Base):
    """A kommune, by its four-digit kommunenummer."""

    __tablename__ = "municipality"

    number: Mapped[str] = mapped_column(String(4), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    name_key: Mapped[str] = mapped_column(sort_text(360))
    county_number: Mapped[str] = mapped_column(String(2))
    county_name: Mapped[str] = mapped_column(String(60))
    funding: Mapped[str] = mapped_column(String(20), server_default="ordinary")


class District(Base):
    """A bydel of Oslo, by its six-digit number."""

    __tablename__ = "district"

    number: Mapped[str] = mapped_column(String(6), primary_key=True)
    municipality_number: Mapped[str] = mapped_column(ForeignKey("municipality.number"))
    name: Mapped[str] = mapped_column(String(60))
    name_key: Mapped[str] = mapped_column(sort_text(360))


class Person(Base):
    """A human with one fødselsnummer and one PersonId for life, and data from Folkeregisteret and PAD.

    `protection` is itself confidential: `fortrolig`, `strengtFortrolig` or None.
    """

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(String(8), unique=True)
    national_id: Mapped[str] = mapped_column(String(11), unique=True)
    name: Mapped[str] = mapped_column(String(620))
    birth_date: Mapped[date | None] = mapped_column(Date)
    sex: Mapped[str | None] = mapped_column(String(10))
    arrival_year: Mapped[int | None] = mapped_column(SmallInteger)
    birth_country: Mapped[str | None] = mapped_column(String(3))
    marital_status: Mapped[str | None] = mapped_column(String(30))
    protection: Mapped[str | None] = mapped_column(String(20))
    freg_fetched_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    test_results: Mapped[list[dict[str, Any]] | None] = mapped_column(json_type)
    pad_fetched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refresh_tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


class EarlierNumber(Base):
    """A person's earlier number that Folkeregisteret has replaced, including a D-nummer; found by search."""

    __tablename__ = "earlier_number"

    national_id: Mapped[str] = mapped_column(String(11), primary_key=True)
    person_ref: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)


class Participation(Base):
    """One stay of a person in one municipality's programme, with the answers of the four pages.

    The answers' columns have the keys of `services.questions.fields`, where they are declared.
    """

    __tablename__ = "participation"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True)
    person_ref: Mapped[int] = mapped_column(ForeignKey("person.id"))
    person: Mapped[Person] = relationship(lazy="raise")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    creation_key: Mapped[str] = mapped_column(String(32), unique=True)

    # Copies for the list (see the module's docstring)
    person_id: Mapped[str] = mapped_column(String(8), index=True)
    national_id: Mapped[str] = mapped_column(sort_text(11))
    name: Mapped[str] = mapped_column(String(620))
    name_key: Mapped[str | None] = mapped_column(sort_text(1000))
    name_words: Mapped[str] = mapped_column(String(1900), server_default=text("''"))  # see `services.core.name_folding`
    protected: Mapped[bool]

    municipality_number: Mapped[str] = mapped_column(ForeignKey("municipality.number"))
    municipality_key: Mapped[str] = mapped_column(sort_text(360))
    district_number: Mapped[str | None] = mapped_column(ForeignKey("district.number"))
    district_key: Mapped[str | None] = mapped_column(sort_text(360))
    status: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(60))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(sort_text(60))
    discharged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    discharged_by: Mapped[str | None] = mapped_column(String(60))
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_by: Mapped[str | None] = mapped_column(String(60))
    deleted_reason: Mapped[str | None] = mapped_column(Text)
    deleted_reason_text: Mapped[str | None] = mapped_column(Text)
    background_missing: Mapped[int] = mapped_column(SmallInteger)
    programme_missing: Mapped[int] = mapped_column(SmallInteger)
    termination_missing: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    # Oppstart, later by the days of permisjon: the 24, 36 and 48 months are counted from here. Always set; the default
    # exists since SQLite adds no column without one.
    duration_start: Mapped[date] = mapped_column(Date, server_default="1900-01-01")
    # Every index of the list begins with it: open and discharged participations are separate lists.
    discharged: Mapped[bool] = mapped_column(Computed("status = 4", persisted=True))

    # Page 1
    funding: Mapped[str] = mapped_column(String(20))
    start_date: Mapped[date] = mapped_column(Date)

    # Page 2
    target_group: Mapped[str | None] = mapped_column(String(30))
    recruitment: Mapped[str | None] = mapped_column(String(30))
    earlier_measures: Mapped[list[str] | None] = mapped_column(json_type)
    intro_end: Mapped[date | None] = mapped_column(Date)
    literacy: Mapped[str | None] = mapped_column(String(30))
    mother_tongue: Mapped[str | None] = mapped_column(String(30))
    oral_start: Mapped[str | None] = mapped_column(String(30))
    written_start: Mapped[str | None] = mapped_column(String(30))
    education: Mapped[str | None] = mapped_column(String(30))
    education_country: Mapped[str | None] = mapped_column(String(30))
    education_recognised: Mapped[str | None] = mapped_column(String(30))
    work_experience: Mapped[str | None] = mapped_column(String(30))
    work_norway: Mapped[str | None] = mapped_column(String(30))
    children: Mapped[int | None] = mapped_column(SmallInteger)
    youngest_child: Mapped[int | None] = mapped_column(SmallInteger)
    livelihood_start: Mapped[str | None] = mapped_column(String(30))

    # Page 3
    individual_plan: Mapped[str | None] = mapped_column(String(30))
    plan_date: Mapped[date | None] = mapped_column(Date)
    goals: Mapped[list[str] | None] = mapped_column(json_type)
    goals_other: Mapped[str | None] = mapped_column(String(200))
    goal_level: Mapped[str | None] = mapped_column(String(30))
    hours_per_week: Mapped[Decimal | None] = mapped_column(Numeric(4, 1, asdecimal=True))
    allowance: Mapped[str | None] = mapped_column(String(30))
    no_activities: Mapped[bool | None]
    extension: Mapped[str | None] = mapped_column(String(30))
    extension_reason: Mapped[str | None] = mapped_column(Text)
    planned_end: Mapped[date | None] = mapped_column(Date)
    extra_year: Mapped[str | None] = mapped_column(String(30))
    activities: Mapped[list["Activity"]] = relationship(
        lazy="raise", order_by="Activity.position", cascade="all, delete-orphan"
    )
    leaves: Mapped[list["Leave"]] = relationship(lazy="raise", order_by="Leave.position", cascade="all, delete-orphan")
    drafts: Mapped[list["DraftValue"]] = relationship(cascade="all, delete-orphan")
    # Answers that another answer removed, by field key in JSON form: stored in case their fields apply again.
    set_aside: Mapped[dict[str, Any] | None] = mapped_column(json_type)

    # Page 4
    end_reason: Mapped[str | None] = mapped_column(String(30))
    end_reason_text: Mapped[str | None] = mapped_column(String(200))
    end_date: Mapped[date | None] = mapped_column(Date)
    absence_valid: Mapped[int | None] = mapped_column(SmallInteger)
    absence_invalid: Mapped[int | None] = mapped_column(SmallInteger)
    outcome: Mapped[list[str] | None] = mapped_column(json_type)
    job_kind: Mapped[str | None] = mapped_column(String(30))
    job_percent: Mapped[int | None] = mapped_column(SmallInteger)
    job_sector: Mapped[str | None] = mapped_column(String(30))
    job_industry: Mapped[str | None] = mapped_column(String(30))
    job_subsidy: Mapped[str | None] = mapped_column(String(30))
    study_kind: Mapped[str | None] = mapped_column(String(30))
    study_load: Mapped[str | None] = mapped_column(String(30))
    other_kind: Mapped[str | None] = mapped_column(String(30))
    livelihood_end: Mapped[str | None] = mapped_column(String(30))
    oral_end: Mapped[str | None] = mapped_column(String(30))
    written_end: Mapped[str | None] = mapped_column(String(30))

    __table_args__ = (
        # One running participation for each person in the whole country (domain, section 5); it also makes a
        # creation that is sent twice harmless.
        Index(
            "uq_participation_running",
            "person_ref",
            unique=True,
            sqlite_where=text("deleted_at IS NULL AND status <> 4"),
            postgresql_where=text("deleted_at IS NULL AND status <> 4"),
        ),
        CheckConstraint("status BETWEEN 1 AND 4", name="status"),
        CheckConstraint("status <> 4 OR name_words = ''", name="discharged_unfindable"),
        CheckConstraint("status <> 4 OR (name = '' AND name_key IS NULL)", name="discharged_nameless"),
        CheckConstraint("end_date IS NULL OR end_date >= start_date", name="dates"),
    )


_P = Participation
# The columns of the visibility condition. They end each index, so that a page and the count need not read the wide
# table. For the indexes of the list's orders, see `services.listing.columns`.
SEEN_BY = (_P.status, _P.protected, _P.deleted_at)
# Filters: within a municipality one covering index; for the country one index for each.
Index(
    "ix_participation_facets",
    _P.discharged,
    _P.municipality_number,
    *SEEN_BY,
    _P.funding,
    _P.start_date,
    _P.end_date,
    _P.duration_start,
    _P.changed_at,
    _P.background_missing,
    _P.programme_missing,
    _P.termination_missing,
)
Index("ix_participation_funding", _P.discharged, _P.funding, *SEEN_BY)
Index("ix_participation_duration", _P.discharged, _P.duration_start, _P.end_date, *SEEN_BY)
for _missing in (_P.background_missing, _P.programme_missing, _P.termination_missing):
    Index(
        f"ix_participation_{_missing.key}",
        _P.discharged,
        *SEEN_BY,
        sqlite_where=_missing > literal_column("0"),
        postgresql_where=_missing > literal_column("0"),
    )
# Parts of names: PostgreSQL by trigrams; for SQLite a migration creates the FTS5 table `name_index`.
Index(
    "ix_participation_name_words",
    _P.municipality_number,
    _P.name_words,
    postgresql_using="gin",
    postgresql_ops={"name_words": "gin_trgm_ops"},
).ddl_if(dialect="postgresql")


class ParticipationCount(Base):
    """The number of participations by kind. Triggers on `participation` update it in the same transaction; the program
    only reads it."""

    __tablename__ = "participation_count"

    municipality_number: Mapped[str] = mapped_column(String(4), primary_key=True)
    status: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    protected: Mapped[bool] = mapped_column(primary_key=True)
    deleted: Mapped[bool] = mapped_column(primary_key=True)
    number: Mapped[int]


class Search(Base):
    """A user's stored search. Only its random id is in addresses. It is deleted when unused for 30 days, except user
    names and municipalities that a saved view needs.

    `words`: the values of the search field; `changed_by`: user names; `municipalities`: numbers, if too many for an
    address.
    """

    __tablename__ = "search"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    words: Mapped[list[str]] = mapped_column(json_type)
    changed_by: Mapped[list[str]] = mapped_column(json_type)
    municipalities: Mapped[list[str]] = mapped_column(json_type, server_default=text("'[]'"))
    used_on: Mapped[date] = mapped_column(Date, index=True)


class SavedView(Base):
    """A named list view of a user: criteria and order. `query`: the query string of the list's address."""

    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("user_id", "name"),
        Index(
            "uq_saved_view_start",
            "user_id",
            unique=True,
            sqlite_where=text("is_start"),
            postgresql_where=text("is_start"),
        ),
    )

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    name: Mapped[str] = mapped_column(String(80))
    name_key: Mapped[str] = mapped_column(sort_text(480))
    query: Mapped[str] = mapped_column(String(8000))
    is_start: Mapped[bool] = mapped_column(server_default=text("false"))


class Activity(Base):
    """A tiltak of page 3; dates are days, `hours` per week. `row_key`: its permanent identity."""

    __tablename__ = "activity"

    id: Mapped[int] = mapped_column(primary_key=True)
    participation_ref: Mapped[int] = mapped_column(ForeignKey("participation.id"), index=True)
    municipality_number: Mapped[str] = mapped_column(String(4))
    position: Mapped[int] = mapped_column(SmallInteger)
    row_key: Mapped[str] = mapped_column(String(12), default=new_row_key, server_default=text("''"))
    kind: Mapped[str] = mapped_column(String(30))
    from_date: Mapped[date] = mapped_column(Date)
    to_date: Mapped[date | None] = mapped_column(Date)
    hours: Mapped[Decimal | None] = mapped_column(Numeric(4, 1, asdecimal=True))
    comment: Mapped[str | None] = mapped_column(String(500))


class Leave(Base):
    """A permisjon of page 3. `row_key`: its permanent identity."""

    __tablename__ = "leave"

    id: Mapped[int] = mapped_column(primary_key=True)
    participation_ref: Mapped[int] = mapped_column(ForeignKey("participation.id"), index=True)
    municipality_number: Mapped[str] = mapped_column(String(4))
    position: Mapped[int] = mapped_column(SmallInteger)
    row_key: Mapped[str] = mapped_column(String(12), default=new_row_key, server_default=text("''"))
    from_date: Mapped[date] = mapped_column(Date)
    to_date: Mapped[date] = mapped_column(Date)
    kind: Mapped[str] = mapped_column(String(30))


class DraftValue(Base):
    """A draft: a value that a user has typed and that is not registered, until that user corrects it.

    `raw`: the texts of the controls; for fields with rows only the rows that are not registered. `undecided`: the marks
    of conflicts: the value may be valid, but another user has changed the same field, and the user has not chosen yet.
    """

    __tablename__ = "draft_value"
    __table_args__ = (UniqueConstraint("participation_ref", "username", "field"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    participation_ref: Mapped[int] = mapped_column(ForeignKey("participation.id"))
    municipality_number: Mapped[str] = mapped_column(String(4))
    field: Mapped[str] = mapped_column(String(40))
    raw: Mapped[Any] = mapped_column(json_type)
    username: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    undecided: Mapped[list[str] | None] = mapped_column(json_type)


class LeftSave(Base):
    """A request that saved a page while the browser left it, recorded as handled
    (`services.participation.left_saves`)."""

    __tablename__ = "left_save"

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    participation_ref: Mapped[int] = mapped_column(ForeignKey("participation.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Beginning(Base):
    """An unfinished registration: page 1 as a user has typed it (see `services.intake.unfinished`).

    `outcome`, `message`, `record`: the result of the last look-up of its number; `waits_since`: it was to be created,
    but Folkeregisteret did not respond; `left_key`: the last request of a page that was being left (see `LeftSave`).
    """

    __tablename__ = "beginning"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    creation_key: Mapped[str] = mapped_column(String(32), unique=True)
    form: Mapped[dict[str, list[str]]] = mapped_column(json_type)
    outcome: Mapped[str | None] = mapped_column(String(20))
    message: Mapped[str | None] = mapped_column(String(400))
    record: Mapped[dict[str, Any] | None] = mapped_column(json_type)
    looked_up_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    waits_since: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    left_key: Mapped[str | None] = mapped_column(String(32))


class Lease(Base):
    """A lease: which process does what only one may do at a time, and until when (see `services.refresh.leases`)."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(32))
    until: Mapped[datetime] = mapped_column(UtcDateTime)


class Change(Base):
    """A change of one field, written in the same transaction as the change itself. Append-only.

    `form_key`: the form that sent it, so that a form whose response was lost is not in conflict with itself.
    """

    __tablename__ = "change"
    __table_args__ = (Index("ix_change_participation", "participation_ref", "version"),)

    id: Mapped[int] = mapped_column(long_id, primary_key=True)
    participation_ref: Mapped[int] = mapped_column(ForeignKey("participation.id"))
    municipality_number: Mapped[str] = mapped_column(String(4))
    version: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    username: Mapped[str] = mapped_column(String(60))
    source: Mapped[str] = mapped_column(String(20), server_default="user")
    field: Mapped[str] = mapped_column(String(40))
    old: Mapped[Any] = mapped_column(json_type, nullable=True)
    new: Mapped[Any] = mapped_column(json_type, nullable=True)
    form_key: Mapped[str | None] = mapped_column(String(32))


class Notice(Base):
    """A notice from IMDi to a municipality about one of its participants: `restored` or `reopened`, and why."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    municipality_number: Mapped[str] = mapped_column(String(4))
    participation_ref: Mapped[int] = mapped_column(ForeignKey("participation.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(500))
    username: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_by: Mapped[str | None] = mapped_column(String(60))


class AccessEntry(Base):
    """One line of the access log: who did what to whom, by ids only. Append-only."""

    __tablename__ = "access_entry"
    __table_args__ = (Index("ix_access_entry_user", "user_id", "action", "at"),)

    id: Mapped[int] = mapped_column(long_id, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    user_id: Mapped[int | None] = mapped_column(Integer)
    action: Mapped[str] = mapped_column(String(40))
    participation_ref: Mapped[int | None] = mapped_column(Integer, index=True)
    detail: Mapped[dict[str, Any] | None] = mapped_column(json_type)


class ShownIn(Base):
    """An index of the access log: the lines that show a participant among others. The lines' own ids of participants
    are sealed with them."""

    __tablename__ = "shown_in"
    __table_args__ = ({"sqlite_with_rowid": False},)

    participation_ref: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(long_id, primary_key=True, autoincrement=False)


class SealedLine(Base):
    """The salted digest of one line of a log (see `services.access.seals`). Append-only."""

    __tablename__ = "sealed_line"

    log: Mapped[str] = mapped_column(String(20), primary_key=True)
    line: Mapped[int] = mapped_column(long_id, primary_key=True, autoincrement=False)
    salt: Mapped[str] = mapped_column(String(32))
    digest: Mapped[str] = mapped_column(String(64))


class Seal(Base):
    """One batch of digests, chained to the previous seal. Append-only. `key_id`: the key of the HMAC; None for seals
    older than the keys. `replaced`: in the first seal after a restore, the ends of the replaced chains."""

    __tablename__ = "seal"

    log: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    first_id: Mapped[int] = mapped_column(long_id)
    last_id: Mapped[int] = mapped_column(long_id)
    lines: Mapped[int] = mapped_column(Integer)
    hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    epoch: Mapped[int] = mapped_column(Integer, server_default="1")
    key_id: Mapped[str | None] = mapped_column(String(20))
    replaced: Mapped[list[Any] | None] = mapped_column(json_type)


class Installation(Base):
    """The kind of installation that the database belongs to: «production», from its first start there."""

    __tablename__ = "installation"

    environment: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
