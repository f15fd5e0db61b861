"""README, the index of decisions and the documents that code cites are true and complete."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect

from tests.support.server import ROOT

README = (ROOT / "README.md").read_text("utf-8")
DECISIONS = ROOT / "docs" / "decisions"
# Decisions and measurements describe the state of their day.
PAGES = (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))
# Parts of names, after `OIDC_<NAME>_`.
OF_A_PROVIDER = {"ISSUER", "CLIENT_ID", "CLIENT_SECRET", "KEY_FILE", "KEY_ID", "ACR", "LABEL"}
NO_SETTINGS = {"FLASK_DEBUG"}  # Flask's own, which is only read
# Of other programs, and of development alone.
MADE = {"services/locale/", "services/locale/messages.pot"}  # written by `make messages`
NO_ADDRESSES = {"/token", "/folkeregisteret/…", "/utvikling/e-post"}
CITED = ("domain", "guide")
# Other documents with sections: standards, and the documentation of SQLite's ALTER TABLE.
OTHER_SOURCES = ("RFC", "NIST", "OpenID", "ALTER TABLE")
_NUMBERS = r"(\d+(?:\.\d+)*(?:(?:, | and | to )\d+(?:\.\d+)*)*)"


def settings_of_the_program() -> set[str]:
    """All names that the modules of the settings read from the environment."""
    sources = [
        (ROOT / "app" / "settings" / f"{name}.py").read_text("utf-8") for name in ("config", "checks", "providers")
    ]
    return set(re.findall(r'"([A-Z][A-Z]*(?:_[A-Z]+)*)"', "\n".join(sources))) - NO_SETTINGS - OF_A_PROVIDER


def settings_in_the_table() -> set[str]:
    rows = re.findall(r"^\| (`[A-Z].*?) \|", README, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    return {name for name in named if not name.startswith("OIDC_<")}


def test_every_setting_stands_in_the_table_and_no_other() -> None:
    assert settings_in_the_table() == settings_of_the_program()


def test_every_setting_of_a_provider_stands_in_the_table() -> None:
    assert set(re.findall(r"`OIDC_<NAME>_([A-Z_]+)`", README)) == OF_A_PROVIDER


def test_every_command_exists(app: Flask) -> None:
    named = re.findall(r"flask --app wsgi ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", README)
    assert len(named) > 5
    for first, second in named:
        command = app.cli.commands.get(first)
        assert command is not None, first
        if (members := getattr(command, "commands", None)) is not None and second:
            assert second in members, f"{first} {second}"


def test_every_goal_of_make_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    goals = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        name
        for page in PAGES
        for name in re.findall(r"(?:`|^    )make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert named - goals == set()
    told = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    assert told - set(re.findall(r"(?:`|^    )make ([a-z-]+)", README, re.MULTILINE)) == {"install", "clean"}


def test_every_address_exists(app: Flask) -> None:
    named = set(re.findall(r"`(/[a-zæøå/…-]+)`", README)) - NO_ADDRESSES
    assert named
    adapter = app.url_map.bind("localhost")
    for address in named:
        try:
            adapter.match(address)
        except RequestRedirect:
            pass
        except NotFound:
            pytest.fail(f"{address} is no address of the program")


def texts_that_cite() -> Iterator[tuple[Path, str]]:
    """All sources and pages of the project, each in one line, without the marks that break a comment into lines."""
    folders = [ROOT / name for name in ("app", "services", "tests", "tools", "docs")]
    pages = [
        page for folder in folders for kind in ("py", "md", "html", "js", "css") for page in folder.rglob(f"*.{kind}")
    ]
    for path in (*ROOT.glob("*.md"), *ROOT.glob("*.py"), *pages):
        if "vendor" not in path.parts and path != Path(__file__):
            yield path, re.sub(r"\s+(?:#\s+)?", " ", path.read_text("utf-8"))


def citations(document: str, text: str) -> list[str]:
    """The numbers of all sections of a document that a text cites."""
    before = rf"\b{document},? (?:sections? )?{_NUMBERS}"
    behind = rf"\bsections? {_NUMBERS} (?:[^.]{{0,20}} and section \d+ )?of the {document}\b"
    found = re.findall(before, text, re.IGNORECASE) + re.findall(behind, text, re.IGNORECASE)
    return [number for numbers in found for number in re.findall(r"\d+(?:\.\d+)*", numbers)]


def sections(document: str) -> set[str]:
    """The numbers of a document's headings, and of the items of numbered lists under them (10.4)."""
    there: set[str] = set()
    heading = ""
    for line in (ROOT / "docs" / f"{document}.md").read_text("utf-8").splitlines():
        if match := re.match(r"#+ (\d+(?:\.\d+)*)\.? ", line):
            heading = match[1]
            there.add(heading)
        elif match := re.match(r"(\d+)\. ", line):
            there.add(f"{heading}.{match[1]}")
    return there


@pytest.mark.parametrize("document", CITED)
def test_every_section_that_is_cited_exists(document: str) -> None:
    there = sections(document)
    cited = [(path, number) for path, text in texts_that_cite() for number in citations(document, text)]
    assert len(cited) > 10
    assert [(path.relative_to(ROOT), number) for path, number in cited if number not in there] == []


def test_citations_are_found_however_they_are_written() -> None:
    assert citations("domain", "Source: domain, sections 3, 9; section 7 of the domain. The domain 10.4") == [
        *("3", "9", "10.4", "7")
    ]
    assert citations("guide", "(guide 3.4 to 3.8), Guide 3.6, domain section 4; Maskinporten's guide for 2") == [
        *("3.4", "3.8", "3.6")
    ]


def test_every_section_belongs_to_a_document_that_can_be_found() -> None:
    known = (*CITED, *OTHER_SOURCES)
    for path, text in texts_that_cite():
        if path.stem in CITED:  # a document's own sections
            continue
        for match in re.finditer(r"\b[Ss]ections? \d", text):
            around = text[max(0, match.start() - 90) : match.end() + 60]
            assert any(source in around for source in known), f"{path.relative_to(ROOT)}: {around}"


def test_every_file_that_is_linked_to_exists() -> None:
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_module_that_is_named_exists() -> None:
    path = r"((?:app|services|tests|tools|docs)/[a-zæøå0-9_/.-]*)"
    for page in PAGES:
        text = page.read_text("utf-8")
        named = set(re.findall(rf"(?:`|^    ){path}(?:`|\s)", text, re.MULTILINE)) - MADE
        assert {name for name in named if not (ROOT / name).exists()} == set(), page.name


def test_every_name_of_the_glossary_exists_in_the_code() -> None:
    """Names of fields anywhere, and those of classes in the module that the row names."""
    sources = [path for folder in ("app", "services") for path in (ROOT / folder).rglob("*.py")]
    words = set(re.findall(r"\w+", "\n".join(path.read_text("utf-8") for path in sources)))
    row = r"^\|[^|]*\|([^|]*)\|[^|]*\| `([^`]+)` \|$"
    rows = re.findall(row, (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE)
    assert len(rows) > 70
    for said, module in rows:
        for name in re.findall(r"`(\w+)`", said):
            there = set(re.findall(r"\w+", (ROOT / module).read_text("utf-8"))) if name[0].isupper() else words
            assert name in there, f"{name} in {module}"


def test_the_index_holds_every_decision_with_its_title() -> None:
    index = (DECISIONS / "README.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| \d{4} \| \[(.+)\]\((\d{4}-.+\.md)\) \| [\d.]+ \| .+ \|$", index, re.MULTILINE))
    there = {
        re.sub(r"^#\s*(?:\d+\.\s*)?", "", path.read_text("utf-8").splitlines()[0]): path.name
        for path in DECISIONS.glob("0*.md")
    }
    assert listed == there
