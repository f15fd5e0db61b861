"""The list of users is sorted and searched by the database: keys for it.

Revision: 0017
"""

import sqlalchemy as sa
from alembic import op

from services.core.collation import sort_key
from services.core.db import sort_text
from services.core.name_folding import folded_words

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

KEYS = {"name_key": sort_text(1000), "username_key": sort_text(1000), "email_key": sort_text(1000)}
KEYS |= {"search_text": sa.Text()}
BATCH = 1_000


def upgrade() -> None:
    for name, kind in KEYS.items():
        op.add_column("user_account", sa.Column(name, kind))
    users = sa.table("user_account", *map(sa.column, ("id", "name", "username", "email", "phone", *KEYS)))
    work = op.get_bind()
    told = sa.select(users.c.id, users.c.name, users.c.username, users.c.email, users.c.phone)
    values = [{"of": row[0]} | keys_of(*row[1:]) for row in work.execute(told)]
    written = users.update().where(users.c.id == sa.bindparam("of")).values({name: sa.bindparam(name) for name in KEYS})
    for place in range(0, len(values), BATCH):
        work.execute(written, values[place : place + BATCH])


def downgrade() -> None:
    for name in KEYS:
        op.drop_column("user_account", name)


def keys_of(name: str, username: str | None, email: str, phone: str) -> dict[str, str | None]:
    """As the program makes them."""
    searched = (name, username or "", email, phone, phone.replace(" ", ""))
    return {
        "name_key": sort_key(name)[:1000],
        "username_key": sort_key(username)[:1000] if username else None,
        "email_key": sort_key(email)[:1000],
        "search_text": "\n".join(" ".join(folded_words(text)) for text in searched),
    }
