"""Which lines of the access log hold the participants of a list that was shown: an index of these lines.

Revision: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shown_in",
        sa.Column("participation_ref", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column(
            "line",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("shown_in")
