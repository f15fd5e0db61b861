"""The technical log: JSON lines with the request's id, and no personal data, whatever happens."""

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.settings.config import PROJECT
from app.web.access import public
from app.web.logs import JsonLines
from tests.support.client import CheckedClient, text_of

SECRETS = ("03851598730", "038515 98730", "Kari Nordmann", "kari@example.no", "hemmelig-token")
Read = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logged() -> Iterator[tuple[io.StringIO, Read]]:
    """The log within the block, as text and as parsed lines."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.addHandler(handler)
    yield written, lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.removeHandler(handler)


def test_a_failure_tells_where_and_nothing_about_whom(
    app: Flask, sign_in: Callable[[str], CheckedClient], logged: tuple[io.StringIO, Read]
) -> None:
    def fail(word: str) -> str:
        raise ValueError(f"cannot read {word} of {SECRETS}")

    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/feiler/<word>", view_func=public(fail), methods=["GET", "POST"])
    client = sign_in("kari.oslo")
    answer = client.get(f"/feiler/{SECRETS[0]}?navn=Kari+Nordmann&token=hemmelig-token")
    assert answer.status_code == 500
    written, read = logged
    lines = [line for line in read() if line["level"] == "ERROR"]
    assert len(lines) == 1
    assert lines[0]["exception"] == "ValueError"
    assert any("test_logs.py" in frame for frame in lines[0]["stack"])
    assert lines[0]["view"] == "fail"
    assert isinstance(lines[0]["user"], int)
    assert lines[0]["request"] in text_of(answer), "the page names the request, so that support can find it"
    for secret in (*SECRETS, "Kari+Nordmann", "feiler"):
        assert secret not in written.getvalue()


def test_what_a_library_says_is_cleaned_and_cannot_forge_a_line(logged: tuple[io.StringIO, Read]) -> None:
    log = logging.getLogger("some.library")
    log.warning('GET /personer/03851598730?part=navn by kari@example.no\r\n{"level": "INFO"}\x00')
    written, read = logged
    assert [line["level"] for line in read()] == ["WARNING"]
    assert read()[0]["message"].startswith("GET /personer/<number>?<query> by <e-mail>")
    assert written.getvalue().count("\n") == 1
    assert not any(secret in written.getvalue() for secret in SECRETS)


PROGRAM = """
import logging, logging.config, sys, threading, warnings
before = logging.getLogger("some.server.error")  # as a server's, set up before the program is loaded
before.addHandler(logging.StreamHandler())
before.propagate = False
requests = logging.getLogger("some.server.access")
requests.addHandler(logging.StreamHandler())
from app import create_app
app = create_app()
logging.basicConfig(force=True, format="%(message)s")  # from here on: what is set up after the program was loaded
late = logging.getLogger("late.library")
late.propagate = False
handler = logging.StreamHandler()
handler.setFormatter(logging.Formatter("%(message)s"))
late.addHandler(handler)
logging.config.dictConfig({"version": 1, "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(message)s"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {"configured": {"handlers": ["out"], "propagate": False}}})
alone = logging.getLogger("without.handlers")
alone.propagate = False
for name in ("late.library", "configured", "without.handlers"):
    logging.getLogger(name).error("03851598730\\nand %s", "kari@example.no")
    logging.getLogger(name).error("%d", "kari@example.no")
    try:
        raise ValueError("Kari Nordmann")
    except ValueError:
        logging.getLogger(name).exception("failed")
other = logging.getLogger("late.access")
other.addHandler(handler)
other.propagate = False
other.error("GET /deltakere?navn=Kari+Nordmann")
logging.captureWarnings(True)
logging.captureWarnings(False)
logging.getLogger("some.server.error").error("Server says kari@example.no")
requests.error("GET /deltakere?navn=Kari+Nordmann")
logging.getLogger("some.library").warning("two\\nlines")
warnings.warn("old 03851598730")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise ValueError("Kari Nordmann")
"""


def test_every_line_of_a_process_is_json(settings: dict[str, str], tmp_path: Path) -> None:
    """Including a server's earlier logging, later set-ups, warnings, and the end of a thread or the process."""
    environ = {"PATH": os.environ["PATH"], **settings, "APP_ENV": "development"}
    environ["DATABASE_URL"] = f"sqlite:///{tmp_path / 'register.sqlite'}"
    command = [sys.executable, "-c", PROGRAM]
    ended = subprocess.run(command, env=environ, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    loggers = [line["logger"] for line in lines]
    late = ["late.library"] * 3 + ["configured"] * 3 + ["without.handlers"] * 3
    assert loggers == [*late, "some.server.error", "some.library", "py.warnings", "app", "app"], ended.stderr
    assert [line["message"] for line in lines[:3]] == ["<number>\nand <e-mail>", "%d", "failed"]
    assert [line.get("exception") for line in lines[-2:]] == ["ZeroDivisionError", "ValueError"]
    assert not any(secret in ended.stderr for secret in SECRETS)
