"""The right to protected addresses stands with the role in a municipality, and a block tells who set it.

Revision: 0016
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

SEEING = "role IN ('caseworker', 'imdi_reader', 'imdi_admin')"


def upgrade() -> None:
    no = sa.text("false")
    op.add_column("role_grant", sa.Column("sees_protected", sa.Boolean(), nullable=False, server_default=no))
    op.add_column("user_account", sa.Column("blocked_by", sa.Integer()))
    op.add_column("user_account", sa.Column("blocked_by_imdi", sa.Boolean(), nullable=False, server_default=no))
    op.execute(
        f"UPDATE role_grant SET sees_protected = true WHERE {SEEING} "  # noqa: S608 - ours
        "AND user_id IN (SELECT id FROM user_account WHERE sees_protected)"
    )
    tell_who_blocked()


def downgrade() -> None:
    op.drop_column("role_grant", "sees_protected")
    op.drop_column("user_account", "blocked_by_imdi")
    op.drop_column("user_account", "blocked_by")


def tell_who_blocked() -> None:
    """By the access log. Where it does not tell, the block counts as IMDi's: that it stays too long does least harm."""
    work = op.get_bind()
    imdi = set(work.execute(sa.text("SELECT user_id FROM role_grant WHERE role = 'imdi_admin'")).scalars())
    blocked = list(work.execute(sa.text("SELECT id FROM user_account WHERE blocked_at IS NOT NULL")).scalars())
    blockers: dict[int | None, int | None] = {}
    if blocked:
        entries = sa.text("SELECT user_id, detail FROM access_entry WHERE action = 'block' ORDER BY id")
        for user_id, detail in work.execute(entries):
            told = json.loads(detail) if isinstance(detail, str) else detail or {}
            blockers[told.get("user")] = user_id
    set_blocker = sa.text("UPDATE user_account SET blocked_by = :by, blocked_by_imdi = :imdi WHERE id = :id")
    for user_id in blocked:
        by = blockers.get(user_id)
        work.execute(set_blocker, {"by": by, "imdi": by is None or by in imdi, "id": user_id})
