"""The register begins: users, persons, participations, history, access log, code lists.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.core.code_lists import rows
from services.core.collation import sort_key

revision = "0001"
down_revision = None
branch_labels = ("default",)
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
LONG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = ("change", "access_entry")


def sort_text(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    create_tables()
    fill_code_lists()
    for table in APPEND_ONLY:
        forbid_changes(table)


def downgrade() -> None:
    for table in APPEND_ONLY:
        allow_changes(table)
    drop_tables()


def fill_code_lists() -> None:
    """The kommuner and bydeler as the files hold them when the migration runs."""
    municipality = sa.table(
        "municipality", *map(sa.column, ("number", "name", "name_key", "county_number", "county_name"))
    )
    op.bulk_insert(
        municipality,
        [
            {
                "number": row["kommunenummer"],
                "name": row["kommunenavn"],
                "name_key": sort_key(row["kommunenavn"]),
                "county_number": row["fylkesnummer"],
                "county_name": row["fylkesnavn"],
            }
            for row in rows("municipalities.csv")
        ],
    )
    district = sa.table("district", *map(sa.column, ("number", "municipality_number", "name", "name_key")))
    op.bulk_insert(
        district,
        [
            {
                "number": row["bydelsnummer"],
                "municipality_number": "0301",
                "name": row["bydelsnavn"],
                "name_key": sort_key(row["bydelsnavn"]),
            }
            for row in rows("oslo_districts.csv")
        ],
    )


def forbid_changes(table: str) -> None:
    """Create triggers that make a table append-only."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        op.execute(  # INSERT OR REPLACE removes a row without asking the trigger for DELETE
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608 - our own names
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )


def allow_changes(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete", "replace"):
            op.execute(f"DROP TRIGGER {table}_no_{verb}")
        return
    op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
    op.execute(f"DROP FUNCTION {table}_append_only")


def create_tables() -> None:
    op.create_table(
        "access_entry",
        sa.Column("id", LONG_ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("participation_ref", sa.Integer(), nullable=True),
        sa.Column("detail", JSON, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_access_entry"),
    )
    op.create_index("ix_access_entry_at", "access_entry", ["at"], unique=False)
    op.create_index("ix_access_entry_participation_ref", "access_entry", ["participation_ref"], unique=False)
    op.create_table(
        "municipality",
        sa.Column("number", sa.String(length=4), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("name_key", sort_text(360), nullable=False),
        sa.Column("county_number", sa.String(length=2), nullable=False),
        sa.Column("county_name", sa.String(length=60), nullable=False),
        sa.Column("funding", sa.String(length=20), server_default="ordinary", nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_municipality"),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(length=8), nullable=False),
        sa.Column("national_id", sa.String(length=11), nullable=False),
        sa.Column("name", sa.String(length=620), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("sex", sa.String(length=10), nullable=True),
        sa.Column("arrival_year", sa.SmallInteger(), nullable=True),
        sa.Column("birth_country", sa.String(length=3), nullable=True),
        sa.Column("marital_status", sa.String(length=30), nullable=True),
        sa.Column("protection", sa.String(length=20), nullable=True),
        sa.Column("freg_fetched_at", MOMENT, nullable=False),
        sa.Column("test_results", JSON, nullable=True),
        sa.Column("pad_fetched_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("national_id", name="uq_person_national_id"),
        sa.UniqueConstraint("person_id", name="uq_person_person_id"),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=30), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("sees_protected", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("blocked_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("signed_in_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_user_account"),
        sa.UniqueConstraint("username", name="uq_user_account_username"),
    )
    op.create_table(
        "district",
        sa.Column("number", sa.String(length=6), nullable=False),
        sa.Column("municipality_number", sa.String(length=4), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("name_key", sort_text(360), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_number"], ["municipality.number"], name="fk_district_municipality_number"
        ),
        sa.PrimaryKeyConstraint("number", name="pk_district"),
    )
    op.create_table(
        "role_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("municipality_number", sa.String(length=4), nullable=True),
        sa.CheckConstraint(
            "(role IN ('imdi_reader', 'imdi_admin')) = (municipality_number IS NULL)",
            name=op.f("ck_role_grant_municipal_role"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality_number"], ["municipality.number"], name="fk_role_grant_municipality_number"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_role_grant_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_role_grant"),
        sa.UniqueConstraint(
            "user_id", "role", "municipality_number", name="uq_role_grant_user_id_role_municipality_number"
        ),
    )
    op.create_index("ix_role_grant_municipality_number", "role_grant", ["municipality_number"], unique=False)
    op.create_table(
        "user_session",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("data", JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_user_session_user_id"),
        sa.PrimaryKeyConstraint("key_hash", name="pk_user_session"),
    )
    op.create_index("ix_user_session_seen_at", "user_session", ["seen_at"], unique=False)
    op.create_index("ix_user_session_user_id", "user_session", ["user_id"], unique=False)
    op.create_table(
        "participation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("person_ref", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("creation_key", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=8), nullable=False),
        sa.Column("national_id", sort_text(11), nullable=False),
        sa.Column("name", sa.String(length=620), nullable=False),
        sa.Column("name_key", sort_text(1000), nullable=True),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("municipality_number", sa.String(length=4), nullable=False),
        sa.Column("municipality_key", sort_text(360), nullable=False),
        sa.Column("district_number", sa.String(length=6), nullable=True),
        sa.Column("district_key", sort_text(360), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.String(length=60), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("changed_by", sort_text(60), nullable=False),
        sa.Column("discharged_at", MOMENT, nullable=True),
        sa.Column("discharged_by", sa.String(length=60), nullable=True),
        sa.Column("deleted_at", MOMENT, nullable=True),
        sa.Column("deleted_by", sa.String(length=60), nullable=True),
        sa.Column("background_missing", sa.SmallInteger(), nullable=False),
        sa.Column("programme_missing", sa.SmallInteger(), nullable=False),
        sa.Column("funding", sa.String(length=20), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column("target_group", sa.String(length=30), nullable=True),
        sa.Column("recruitment", sa.String(length=30), nullable=True),
        sa.Column("earlier_measures", JSON, nullable=True),
        sa.Column("intro_end", sa.Date(), nullable=True),
        sa.Column("literacy", sa.String(length=30), nullable=True),
        sa.Column("mother_tongue", sa.String(length=30), nullable=True),
        sa.Column("oral_start", sa.String(length=30), nullable=True),
        sa.Column("written_start", sa.String(length=30), nullable=True),
        sa.Column("education", sa.String(length=30), nullable=True),
        sa.Column("education_country", sa.String(length=30), nullable=True),
        sa.Column("education_recognised", sa.String(length=30), nullable=True),
        sa.Column("work_experience", sa.String(length=30), nullable=True),
        sa.Column("work_norway", sa.String(length=30), nullable=True),
        sa.Column("children", sa.SmallInteger(), nullable=True),
        sa.Column("youngest_child", sa.SmallInteger(), nullable=True),
        sa.Column("livelihood_start", sa.String(length=30), nullable=True),
        sa.Column("individual_plan", sa.String(length=30), nullable=True),
        sa.Column("plan_date", sa.Date(), nullable=True),
        sa.Column("goals", JSON, nullable=True),
        sa.Column("goals_other", sa.String(length=200), nullable=True),
        sa.Column("goal_level", sa.String(length=30), nullable=True),
        sa.Column("hours_per_week", sa.Numeric(precision=4, scale=1), nullable=True),
        sa.Column("allowance", sa.String(length=30), nullable=True),
        sa.Column("no_activities", sa.Boolean(), nullable=True),
        sa.Column("extension", sa.String(length=30), nullable=True),
        sa.Column("extension_reason", sa.Text(), nullable=True),
        sa.Column("planned_end", sa.Date(), nullable=True),
        sa.Column("extra_year", sa.String(length=30), nullable=True),
        sa.Column("end_reason", sa.String(length=30), nullable=True),
        sa.Column("end_reason_text", sa.String(length=200), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.Column("absence_valid", sa.SmallInteger(), nullable=True),
        sa.Column("absence_invalid", sa.SmallInteger(), nullable=True),
        sa.Column("outcome", JSON, nullable=True),
        sa.Column("job_kind", sa.String(length=30), nullable=True),
        sa.Column("job_percent", sa.SmallInteger(), nullable=True),
        sa.Column("job_sector", sa.String(length=30), nullable=True),
        sa.Column("job_industry", sa.String(length=30), nullable=True),
        sa.Column("job_subsidy", sa.String(length=30), nullable=True),
        sa.Column("study_kind", sa.String(length=30), nullable=True),
        sa.Column("study_load", sa.String(length=30), nullable=True),
        sa.Column("other_kind", sa.String(length=30), nullable=True),
        sa.Column("livelihood_end", sa.String(length=30), nullable=True),
        sa.Column("oral_end", sa.String(length=30), nullable=True),
        sa.Column("written_end", sa.String(length=30), nullable=True),
        sa.CheckConstraint(
            "status <> 4 OR (name = '' AND name_key IS NULL)", name=op.f("ck_participation_discharged_nameless")
        ),
        sa.CheckConstraint("end_date IS NULL OR end_date >= start_date", name=op.f("ck_participation_dates")),
        sa.CheckConstraint("status BETWEEN 1 AND 4", name=op.f("ck_participation_status")),
        sa.ForeignKeyConstraint(["district_number"], ["district.number"], name="fk_participation_district_number"),
        sa.ForeignKeyConstraint(
            ["municipality_number"], ["municipality.number"], name="fk_participation_municipality_number"
        ),
        sa.ForeignKeyConstraint(["person_ref"], ["person.id"], name="fk_participation_person_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_participation"),
        sa.UniqueConstraint("creation_key", name="uq_participation_creation_key"),
        sa.UniqueConstraint("public_id", name="uq_participation_public_id"),
    )
    op.create_index(
        "ix_participation_municipal_order",
        "participation",
        ["municipality_number", "changed_at", "id"],
        unique=False,
    )
    op.create_index("ix_participation_national_id", "participation", ["national_id"], unique=False)
    op.create_index("ix_participation_order", "participation", ["changed_at", "id"], unique=False)
    op.create_index("ix_participation_person_id", "participation", ["person_id"], unique=False)
    op.create_index(
        "uq_participation_running",
        "participation",
        ["person_ref"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL AND status <> 4"),
        postgresql_where=sa.text("deleted_at IS NULL AND status <> 4"),
    )
    op.create_table(
        "activity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participation_ref", sa.Integer(), nullable=False),
        sa.Column("municipality_number", sa.String(length=4), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("to_date", sa.Date(), nullable=True),
        sa.Column("hours", sa.Numeric(precision=4, scale=1), nullable=True),
        sa.Column("comment", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(["participation_ref"], ["participation.id"], name="fk_activity_participation_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_activity"),
    )
    op.create_index("ix_activity_participation_ref", "activity", ["participation_ref"], unique=False)
    op.create_table(
        "change",
        sa.Column("id", LONG_ID, nullable=False),
        sa.Column("participation_ref", sa.Integer(), nullable=False),
        sa.Column("municipality_number", sa.String(length=4), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("username", sa.String(length=60), nullable=False),
        sa.Column("source", sa.String(length=20), server_default="user", nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("old", JSON, nullable=True),
        sa.Column("new", JSON, nullable=True),
        sa.ForeignKeyConstraint(["participation_ref"], ["participation.id"], name="fk_change_participation_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_change"),
    )
    op.create_index("ix_change_participation", "change", ["participation_ref", "version"], unique=False)
    op.create_table(
        "draft_value",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participation_ref", sa.Integer(), nullable=False),
        sa.Column("municipality_number", sa.String(length=4), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("raw", JSON, nullable=False),
        sa.Column("username", sa.String(length=60), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["participation_ref"], ["participation.id"], name="fk_draft_value_participation_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_draft_value"),
        sa.UniqueConstraint("participation_ref", "field", name="uq_draft_value_participation_ref_field"),
    )
    op.create_table(
        "leave",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participation_ref", sa.Integer(), nullable=False),
        sa.Column("municipality_number", sa.String(length=4), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("to_date", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.ForeignKeyConstraint(["participation_ref"], ["participation.id"], name="fk_leave_participation_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_leave"),
    )
    op.create_index("ix_leave_participation_ref", "leave", ["participation_ref"], unique=False)


def drop_tables() -> None:
    op.drop_index("ix_leave_participation_ref", table_name="leave")
    op.drop_table("leave")
    op.drop_table("draft_value")
    op.drop_index("ix_change_participation", table_name="change")
    op.drop_table("change")
    op.drop_index("ix_activity_participation_ref", table_name="activity")
    op.drop_table("activity")
    op.drop_index(
        "uq_participation_running",
        table_name="participation",
        sqlite_where=sa.text("deleted_at IS NULL AND status <> 4"),
        postgresql_where=sa.text("deleted_at IS NULL AND status <> 4"),
    )
    op.drop_index("ix_participation_person_id", table_name="participation")
    op.drop_index("ix_participation_order", table_name="participation")
    op.drop_index("ix_participation_national_id", table_name="participation")
    op.drop_index("ix_participation_municipal_order", table_name="participation")
    op.drop_table("participation")
    op.drop_index("ix_user_session_user_id", table_name="user_session")
    op.drop_index("ix_user_session_seen_at", table_name="user_session")
    op.drop_table("user_session")
    op.drop_index("ix_role_grant_municipality_number", table_name="role_grant")
    op.drop_table("role_grant")
    op.drop_table("district")
    op.drop_table("user_account")
    op.drop_table("person")
    op.drop_table("municipality")
    op.drop_index("ix_access_entry_participation_ref", table_name="access_entry")
    op.drop_index("ix_access_entry_at", table_name="access_entry")
    op.drop_table("access_entry")
