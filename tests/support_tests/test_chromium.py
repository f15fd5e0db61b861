"""Chromium is found where it is named or installed, and its absence is reported with a remedy."""

import shutil
from pathlib import Path

import pytest

from tests.support import chromium
from tests.support.chromium import ChromiumMissingError, ensure_chromium, find_chromium


def test_named_browser_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = shutil.which("sh")
    assert shell is not None
    monkeypatch.setenv("CHROMIUM", shell)
    assert find_chromium() == Path(shell)
    monkeypatch.setenv("CHROMIUM", "/no/such/program")
    with pytest.raises(ChromiumMissingError, match="which is no program"):
        find_chromium()


def test_missing_browser_is_installed_by_the_first_way_that_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "chromium"
    ways = [[["false"], ["touch", str(tmp_path / "never")]], [["touch", str(program)]], [["false"]]]
    monkeypatch.setattr(chromium, "find_chromium", lambda: program if program.exists() else None)
    monkeypatch.setattr(chromium, "_attempts", lambda: ways)
    assert ensure_chromium() == program
    assert not (tmp_path / "never").exists()


def test_no_way_to_a_browser_is_an_error_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "find_chromium", lambda: None)
    monkeypatch.setattr(chromium, "_attempts", list)
    with pytest.raises(ChromiumMissingError, match="apt install chromium"):
        ensure_chromium()
