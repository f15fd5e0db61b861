"""Rows of tiltak and permisjon have an identity, what is kept as typed belongs to its user, answers that were taken
away are kept for their return.

Revision: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
# By the number of the row, so that an older backup that is restored gets the same.
FROM_ID = {"sqlite": "printf('%012x', id)", "postgresql": "lpad(to_hex(id), 12, '0')"}


def upgrade() -> None:
    for table in ("activity", "leave"):
        op.add_column(table, sa.Column("row_key", sa.String(12), nullable=False, server_default=sa.text("''")))
        op.execute(f"UPDATE {table} SET row_key = {FROM_ID[op.get_bind().dialect.name]}")  # noqa: S608 - fixed words
    op.add_column("participation", sa.Column("set_aside", JSON))
    with op.batch_alter_table("draft_value") as drafts:
        drafts.add_column(sa.Column("undecided", JSON))
        drafts.drop_constraint("uq_draft_value_participation_ref_field", type_="unique")
        drafts.create_unique_constraint(
            "uq_draft_value_participation_ref_username_field", ["participation_ref", "username", "field"]
        )
    drafts_of = sa.table(
        "draft_value", sa.column("id"), sa.column("field"), sa.column("is_undecided"), sa.column("undecided", JSON)
    )
    undecided = (
        op.get_bind().execute(sa.select(drafts_of.c.id, drafts_of.c.field).where(drafts_of.c.is_undecided)).all()
    )
    for row in undecided:
        op.get_bind().execute(sa.update(drafts_of).where(drafts_of.c.id == row.id).values(undecided=[row.field]))
    with op.batch_alter_table("draft_value") as drafts:
        drafts.drop_column("is_undecided")


def downgrade() -> None:
    # One draft for each question again: the newest stays.
    op.execute(
        "DELETE FROM draft_value WHERE id NOT IN (SELECT max(id) FROM draft_value GROUP BY participation_ref, field)"
    )
    with op.batch_alter_table("draft_value") as drafts:
        drafts.add_column(sa.Column("is_undecided", sa.Boolean(), nullable=False, server_default=sa.text("false")))
        drafts.drop_constraint("uq_draft_value_participation_ref_username_field", type_="unique")
        drafts.create_unique_constraint("uq_draft_value_participation_ref_field", ["participation_ref", "field"])
        drafts.drop_column("undecided")
    op.drop_column("participation", "set_aside")
    for table in ("leave", "activity"):
        op.drop_column(table, "row_key")
