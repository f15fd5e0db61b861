"""Sealing and verifying the logs, as by the commands."""

from datetime import timedelta

from flask import Flask

from app.commands.sealing import sealing
from app.web.page_views import view_log
from services.access import seals
from services.access.audit import Action, record
from tests.support.backups import done, run


def add_lines(app: Flask, most: int = 3) -> None:
    with app.app_context():
        for _time in range(most):
            record(Action.SEARCH, viewer=None)


def seal_now(app: Flask) -> int:
    with app.app_context():
        view_log().write()
        return seals.seal(sealing(), settled=timedelta(seconds=-1))


def verified(app: Flask) -> str:
    said = done(app, "verify-audit")
    assert "all as they were written" in said
    return said


def told(app: Flask) -> str:
    result = run(app, "verify-audit")
    assert result.exit_code == 1, result.output
    return result.output
