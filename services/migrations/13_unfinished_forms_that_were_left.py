"""Unfinished registrations know the last send of a page that was being left.

Revision: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("beginning", sa.Column("left_key", sa.String(32), nullable=True))


def downgrade() -> None:
    op.drop_column("beginning", "left_key")
