"""Single sign-on: who users are at identity providers, and which visits began there.

Revision: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "identity",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("user_account.id"), nullable=False),
        sa.Column("issuer", sa.String(300), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("issuer", "subject"),
        sa.UniqueConstraint("user_id", "issuer"),
    )
    op.add_column("user_session", sa.Column("provider_mark", sa.String(64)))
    op.create_index("ix_user_session_provider_mark", "user_session", ["provider_mark"])


def downgrade() -> None:
    op.drop_index("ix_user_session_provider_mark", table_name="user_session")
    op.drop_column("user_session", "provider_mark")
    op.drop_table("identity")
