"""Who may come in: invited users, links by e-mail, the outbox, second factors, and sign-ins that failed.

Revision: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
LONG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
USERNAME = "username VARCHAR(60)"


def on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def upgrade() -> None:
    let_usernames_be_empty(True)
    op.add_column("user_account", sa.Column("activated_at", MOMENT))
    op.add_column("user_account", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("user_account", sa.Column("totp_secret", sa.String(300)))
    op.add_column("user_account", sa.Column("totp_counter", sa.BigInteger()))
    op.execute("UPDATE user_account SET activated_at = created_at, email = lower(email)")
    op.create_index("uq_user_account_email", "user_account", ["email"], unique=True)
    create_tables()


def downgrade() -> None:
    for table in ("sign_in_failure", "outbox_message", "recovery_code", "account_link"):
        op.drop_table(table)
    op.drop_index("uq_user_account_email", table_name="user_account")
    for column in ("totp_counter", "totp_secret", "version", "activated_at"):
        op.drop_column("user_account", column)
    op.execute("UPDATE user_account SET username = '~' || id WHERE username IS NULL")  # nobody can type it
    let_usernames_be_empty(False)


def let_usernames_be_empty(may_be: bool) -> None:
    """Allow users without a user name, as invited ones are. SQLite has no statement for that, but a procedure (its
    documentation of ALTER TABLE, section 7): the table's definition is changed, the rows stay."""
    if not on_sqlite():
        op.alter_column("user_account", "username", nullable=may_be)
        return
    bind = op.get_bind()
    before, after = (f"{USERNAME} NOT NULL", USERNAME) if may_be else (USERNAME, f"{USERNAME} NOT NULL")
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    bind.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'user_account'",
        (f"{before},", f"{after},"),
    )
    bind.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = OFF")


def create_tables() -> None:
    op.create_table(
        "account_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(10), nullable=False),
        sa.Column("created_by", sa.Integer()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT),
        sa.Column("replaced_at", MOMENT),
        sa.CheckConstraint("purpose IN ('invite', 'reset')", name=op.f("ck_account_link_purpose")),
        sa.ForeignKeyConstraint(["created_by"], ["user_account.id"], name="fk_account_link_created_by"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_account_link_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_account_link"),
        sa.UniqueConstraint("token_hash", name="uq_account_link_token_hash"),
    )
    op.create_index("ix_account_link_user_id", "account_link", ["user_id"])
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("used_at", MOMENT),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_recovery_code_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_code"),
        sa.UniqueConstraint("user_id", "code_hash", name="uq_recovery_code_user_id_code_hash"),
    )
    op.create_table(
        "outbox_message",
        sa.Column("id", LONG_ID, nullable=False),
        sa.Column("message_id", sa.String(40), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("next_try_at", MOMENT),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("sent_at", MOMENT),
        sa.Column("failed_at", MOMENT),
        sa.Column("last_error", sa.String(200), nullable=False, server_default=sa.text("''")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_outbox_message_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_message"),
    )
    op.create_index("ix_outbox_message_next_try_at", "outbox_message", ["next_try_at"])
    op.create_index("ix_outbox_message_user_id", "outbox_message", ["user_id"])
    op.create_table(
        "sign_in_failure",
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name="pk_sign_in_failure"),
    )
    op.create_index("ix_sign_in_failure_last_at", "sign_in_failure", ["last_at"])
