"""The status of a participation and its label."""

from datetime import datetime
from enum import IntEnum
from typing import Any

from services.core.days import moment_date
from services.core.i18n import N_
from services.core.i18n import gettext as _


class Status(IntEnum):
    """The status of a participation, numbered in the alphabetical order of the labels (Avsluttet, Endret, Opprettet,
    Utskrevet), so that an index serves the sorting."""

    ENDED = 1
    CHANGED = 2
    CREATED = 3
    DISCHARGED = 4


STATUS_LABELS = {
    Status.CREATED: N_("Opprettet"),
    Status.CHANGED: N_("Endret"),
    Status.ENDED: N_("Avsluttet"),
    Status.DISCHARGED: N_("Utskrevet"),
}


def said_status(status: int, deleted_at: datetime | None = None, deleted_by: str | None = None) -> str:
    """The label of a status, with the deletion if there is one."""
    word, deleted = _(STATUS_LABELS[Status(status)]), said_deletion(deleted_at, deleted_by)
    return f"{word}. {deleted}" if deleted else word


def said_deletion(deleted_at: datetime | None, deleted_by: str | None) -> str:
    """«Slettet 23.11.2026 av kari.oslo», or ''."""
    if deleted_at is None:
        return ""
    return _("Slettet %(day)s av %(who)s") % {"day": moment_date(deleted_at), "who": deleted_by}


def deletion_text(row: Any) -> str:
    """`said_deletion` of a participation or a row of the list."""
    return said_deletion(row.deleted_at, row.deleted_by)


def status_word(row: Any) -> str:
    """The label of a status alone."""
    return said_status(row.status)


def status_text(row: Any) -> str:
    """`said_status` of a participation or a row of the list."""
    return said_status(row.status, row.deleted_at, row.deleted_by)
