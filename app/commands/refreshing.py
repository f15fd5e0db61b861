"""Refreshing from the registers and sealing the logs periodically, in a process of its own."""

import logging
from collections.abc import Callable

from flask import Flask

from app.commands.sealing import seal_and_mail
from services.refresh.refresh import Done, refresh_all

logger = logging.getLogger(__name__)


def keep_refreshing(
    app: Flask,
    ended: Callable[[float], bool],
    every: float,
    *,
    tell: Callable[[Done | None], None] = lambda done: None,
    at_once: bool = False,
) -> None:
    """Refresh every `every` seconds, until `ended`, which waits up to the given seconds, returns True; this also stops
    a running refresh. Errors are logged and do not end the loop."""
    if not at_once and ended(every):
        return
    while True:
        try:
            with app.app_context():
                seal_and_mail()
                tell(refresh_all(app.extensions["registers"], goes_on=lambda: not ended(0)))
        except Exception:
            logger.exception("the refresh ended early; it is tried again later")
        if ended(every):
            return
