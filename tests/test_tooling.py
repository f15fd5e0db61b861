"""The files that install and check the project say what they must, and nothing of anybody's machine."""

import ast
import re
import shutil
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Words that hide the subject of a sentence: say «the user», «the participant», «the viewer».
HIDING_WORDS = ("she", "her", "hers", "herself", "whoever")
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-security.txt")


def pins(lock: str) -> dict[str, str]:
    """Package to version and marker, of a lock file."""
    found = re.findall(r"^([a-z0-9-]+)==(\S+)( ;.*?)? \\$", (ROOT / lock).read_text(), re.MULTILINE)
    return {name: version + marker for name, version, marker in found}


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "/" not in text, "no path of the machine that made it"
    for entry in re.split(r"\n(?=[a-z])", text):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), f"without a hash: {entry[:60]}"


def test_development_lock_holds_the_other_one() -> None:
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


@pytest.mark.parametrize("wishes", ["requirements.in", "requirements-dev.in", "requirements-security.in"])
def test_every_wish_is_locked(wishes: str) -> None:
    lines = (ROOT / wishes).read_text(encoding="utf-8").splitlines()
    names = [re.match(r"[A-Za-z0-9-]+", line) for line in lines if not line.startswith(("-", "#"))]
    wanted = {found.group().lower() for found in names if found}
    assert wanted
    assert wanted <= pins(wishes.replace(".in", ".txt")).keys(), "run make lock"


def test_checks_cannot_be_loosened_unseen() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert config["pytest"]["filterwarnings"] == ["error"]
    assert config["pytest"]["strict"] is True
    assert config["mypy"]["strict"] is True
    contracts = config["importlinter"]["contracts"]
    assert {contract["type"] for contract in contracts} == {"forbidden", "independence", "layers"}
    (layers,) = (contract for contract in contracts if contract["type"] == "layers")
    assert layers["exhaustive"] is True
    assert layers["exhaustive_ignores"] == ["migrations"]


def test_hooks_run_the_tools_of_make_lint() -> None:
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert lint
    tools = [line.removeprefix("@").replace("$(PY)", ".venv/bin/python") for line in lint[1].split("\t") if line]
    hooks = re.findall(r"entry: (.+)\n", (ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert hooks == [tool.strip() for tool in tools if "venv.sh" not in tool]


def test_the_fast_tests_are_there() -> None:
    fast = re.search(r"^FAST := ((?:.*\\\n)*.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert fast
    paths = re.findall(r"tests/\S+", fast[1])
    assert len(paths) > 4
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_no_two_public_classes_have_the_same_name() -> None:
    """One name, one meaning in the whole tree; private ones are their module's own."""
    found: dict[str, list[str]] = {}
    for folder in ("app", "services"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


def docstrings_and_comments(path: Path) -> Iterator[tuple[int, str]]:
    """The prose in a file of Python or Jinja, each text with its line."""
    text = path.read_text("utf-8")
    if path.suffix == ".html":
        for found in re.finditer(r"\{#.*?#\}", text, re.DOTALL):
            yield text.count("\n", 0, found.start()) + 1, found.group()
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
            said := ast.get_docstring(node)
        ):
            yield node.body[0].lineno, said
    with tokenize.open(path) as lines:
        for token in tokenize.generate_tokens(lines.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def test_docstrings_and_comments_name_their_subject() -> None:
    hiding = re.compile(rf"\b({'|'.join(HIDING_WORDS)})\b", re.IGNORECASE)
    paths = [
        path for folder in ("app", "services") for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".html"}
    ]
    found = [
        f"{path.relative_to(ROOT)}:{line}: {word.group()}"
        for path in sorted(paths)
        for line, text in docstrings_and_comments(path)
        for word in hiding.finditer(text)
    ]
    assert found == []


def oxlint(copy: Path, *mutation: str) -> subprocess.CompletedProcess[str]:
    """Run oxlint on a copy of our scripts; `mutation`: a file, a text in it, and its replacement."""
    scripts = "app/static/scripts"
    shutil.copytree(ROOT / scripts, copy / scripts)
    shutil.copy(ROOT / ".oxlintrc.json", copy)
    if mutation:
        name, old, new = mutation
        text = (copy / scripts / name).read_text(encoding="utf-8")
        assert old in text
        (copy / scripts / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    command = [Path(sys.executable).with_name("oxlint"), "--format", "unix", scripts]
    return subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)


def test_scripts_pass_the_linter(tmp_path: Path) -> None:
    result = oxlint(tmp_path)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        pytest.param("pressing.js", "let press = null;", "", "'press' is not defined", id="undefined"),
        pytest.param(
            "cover.js", "let timer = 0;", "let timer = 0, most;", "'most' is declared but never used", id="unused"
        ),
        pytest.param("keys.js", "})();", "})(;", "Unexpected token", id="syntax"),
        pytest.param("dialog.js", "waiting.isOn(", "offline.isOn(", "'offline' is not defined", id="not its to use"),
        pytest.param("cover.js", "const isOn", "const isOff", "'isOn' is not defined", id="renamed in one place"),
        pytest.param("dialog.js", "function open(", "function show(", "Unexpected use of 'open'", id="the window's"),
    ],
)
def test_the_linter_finds_mistakes_in_scripts(tmp_path: Path, name: str, old: str, new: str, said: str) -> None:
    result = oxlint(tmp_path, name, old, new)
    assert result.returncode == 1
    assert said in result.stdout
