"""Style sheet and script: their contents, sizes, and how they are served."""

import gzip
import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.serving import static_files
from app.serving.static_files import (
    COMPONENTS,
    OWN_SCRIPTS,
    OWN_STYLES,
    SCRIPTS_DIR,
    STATIC_DIR,
    VENDOR_DIR,
    StaticBuild,
    build,
    init_static,
    script,
)
from app.web.responses import SECURITY_HEADERS

BUDGET_BYTES = 38_000  # of the first visit's 45 kB; the rest is the page itself


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> StaticBuild:
    return build(tmp_path_factory.mktemp("instance"))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    program = Flask("files", static_folder=None, instance_path=str(tmp_path_factory.mktemp("instance")))
    init_static(program)
    return program


@pytest.fixture
def visitor(program: Flask) -> FlaskClient:
    return program.test_client()


def address(program: Flask, name: str) -> str:
    found = program.jinja_env.globals[name]
    assert isinstance(found, str)
    return found


def test_vendored_files_are_those_of_the_manifest() -> None:
    entries = json.loads((VENDOR_DIR / "manifest.json").read_text(encoding="utf-8"))
    for entry in entries:
        content = (VENDOR_DIR / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], f"{entry['file']} was changed"
        assert all(entry[key] for key in ("name", "version", "licence", "package", "source"))
    lying = {path.relative_to(VENDOR_DIR).as_posix() for path in VENDOR_DIR.rglob("*") if path.is_file()}
    assert lying == {entry["file"] for entry in entries} | {"manifest.json"}


def test_each_vendored_folder_has_its_licence_and_it_is_served(program: Flask, visitor: FlaskClient) -> None:
    with visitor.get(address(program, "stylesheet_url")) as answer:
        named = re.search(r"Licences: (\S+)", answer.text)
    assert named
    with visitor.get(named[1]) as answer:
        assert answer.status_code == 200
        for folder in (path for path in VENDOR_DIR.iterdir() if path.is_dir()):
            assert (folder / "LICENSE").read_text(encoding="utf-8") in answer.text


def test_all_vendored_components_are_used_once() -> None:
    used = [name for name, _layer in COMPONENTS]
    assert sorted(used) == sorted(path.stem for path in (VENDOR_DIR / "designsystemet-css").glob("*.css"))


def test_style_sheet_keeps_the_layers_and_puts_our_rules_last() -> None:
    text = static_files.stylesheet()
    order = ["@layer ds.theme, ds.base, ds.components;", "ds.theme.color-scheme.light", ".ds-button{", ".brand"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "@charset" not in text
    assert text.count("{") == text.count("}")


def test_nothing_is_fetched_from_elsewhere() -> None:
    assert all(url.startswith("data:") for url in re.findall(r"url\(\s*[\"']?([^\"')]*)", static_files.stylesheet()))
    assert "@import" not in static_files.stylesheet()


def test_own_files_hold_to_the_content_policy() -> None:
    for name in OWN_SCRIPTS:
        script = (SCRIPTS_DIR / name).read_text(encoding="utf-8")
        # Measured values are set as a property, which the policy allows. htmx has a `style` of its own.
        bad = (
            r"\beval\(|new Function|(?<!=== \")innerHTML|insertAdjacentHTML|https?:"
            r"|\.style\b(?!\.minHeight|\.setProperty\(\"--band\"| ===)"
        )
        assert not re.search(bad, script), name


def test_comments_are_left_out_of_the_script_and_nothing_else() -> None:
    for name in OWN_SCRIPTS:
        text = (SCRIPTS_DIR / name).read_text(encoding="utf-8")
        for quoted in re.findall(r'"[^"\n]*"|`[^`]*`', text):
            assert "//" not in quoted, f"{name}: {quoted} would be taken for a comment"
            assert "/*" not in quoted, f"{name}: {quoted} would be taken for a comment"
        assert not [line for line in text.splitlines() if line.count("`") % 2], f"{name}: a string over several lines"
    assert "// " not in script().split("\n;\n", 1)[1]


def test_blanks_that_are_left_out_of_our_style_sheets_stand_in_no_string() -> None:
    for name in OWN_STYLES:
        text = re.sub(r"/\*.*?\*/", "", (STATIC_DIR / name).read_text(encoding="utf-8"), flags=re.DOTALL)
        for quoted in re.findall(r"'[^'\n]*'|\"[^\"\n]*\"", text):
            assert not re.search("[{};,:]", quoted), f"{name}: {quoted} would lose blanks"


def test_each_script_of_ours_is_in_the_bundle_once_and_says_what_is_lacking_without_it() -> None:
    assert sorted(OWN_SCRIPTS) == sorted(path.name for path in SCRIPTS_DIR.iterdir())
    for name in OWN_SCRIPTS:
        text = (SCRIPTS_DIR / name).read_text(encoding="utf-8")
        head = text.split("*/", 1)[0]
        assert re.match(r"/\* \w", head), f"{name} does not say what it does"
        assert "Without it: " in head, f"{name} does not say what happens without it"
        begins = re.search(r'\*/\n(const \w+ = )?\(\(\) => {\n  "use strict";\n', text)
        assert begins, f"{name} does not begin as a function of its own"
        assert begins.start() == len(head), name
        assert text.endswith("})();\n"), f"{name} is more than a function"


def test_a_script_comes_after_those_that_it_uses() -> None:
    texts = [static_files._plain_js(SCRIPTS_DIR / name) for name in OWN_SCRIPTS]
    for place, text in enumerate(texts):
        if given := re.match(r"const (\w+) = ", text):
            use = re.compile(rf"(?<![\w.\"]){given[1]}[.(;]")
            users = [index for index, other in enumerate(texts) if index != place and use.search(other)]
            assert users, f"nothing uses {given[1]}"
            assert min(users) > place, f"{OWN_SCRIPTS[min(users)]} uses {given[1]} before it is there"


def test_first_visit_is_small(built: StaticBuild) -> None:
    sizes = {name: (built.folder / f"{built.names[name]}.br").stat().st_size for name in ("app.css", "app.js")}
    assert sum(sizes.values()) <= BUDGET_BYTES, f"{sizes}: leave out a component or write less"


def test_names_hold_the_hash_of_the_content(built: StaticBuild) -> None:
    for name in built.names.values():
        content = (built.folder / name).read_bytes()
        assert hashlib.sha256(content).hexdigest()[:12] in name
        assert brotli.decompress((built.folder / f"{name}.br").read_bytes()) == content
        assert gzip.decompress((built.folder / f"{name}.gz").read_bytes()) == content


@pytest.mark.parametrize("name", ["stylesheet_url", "script_url"])
@pytest.mark.parametrize("encoding", ["br", "gzip", "identity"])
def test_served_compressed_for_a_year_with_our_headers(
    program: Flask, visitor: FlaskClient, name: str, encoding: str
) -> None:
    with visitor.get(address(program, name), headers={"Accept-Encoding": encoding}) as answer:
        assert answer.status_code == 200
        assert answer.headers.get("Content-Encoding", "identity") == encoding
        assert answer.headers["Cache-Control"] == "max-age=31536000, public, immutable"
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert answer.mimetype == {"stylesheet_url": "text/css", "script_url": "text/javascript"}[name]
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert SECURITY_HEADERS.items() <= dict(answer.headers).items()


def test_refusal_and_not_modified_carry_our_headers(program: Flask, visitor: FlaskClient) -> None:
    url = address(program, "script_url")
    with visitor.get(url) as answer:
        seen = answer.headers["ETag"]
    for answer in (visitor.get(url, headers={"If-None-Match": seen}), visitor.post(url)):
        assert answer.status_code in {304, 405}
        assert SECURITY_HEADERS.items() <= dict(answer.headers).items()


@pytest.mark.parametrize(
    "path", ["/static/app.css", "/static/../config.py", "/static/vendor/manifest.json", "/static/"]
)
def test_only_built_files_are_served(visitor: FlaskClient, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_unknown_asset_is_refused_in_the_template(program: Flask) -> None:
    with pytest.raises(KeyError):
        program.jinja_env.from_string("{{ asset_url('no-such.png') }}").render()


def test_many_can_start_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as starters:
        results = list(starters.map(lambda _number: build(tmp_path), range(8)))
    assert len({result.folder for result in results}) == 1
    assert list(tmp_path.iterdir()) == [results[0].folder], "no drafts are left behind"
    names = {path.name for path in results[0].folder.iterdir()}
    assert names == {name + end for name in results[0].names.values() for end in ("", ".br", ".gz")}


def test_second_start_writes_nothing(tmp_path: Path) -> None:
    first = build(tmp_path)
    written = first.folder.stat().st_mtime_ns
    assert build(tmp_path) == first
    assert first.folder.stat().st_mtime_ns == written


def test_starts_where_nothing_can_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    program = Flask("files", static_folder=None, instance_path=str(blocked / "instance"))
    init_static(program)
    with program.test_client().get(address(program, "stylesheet_url")) as answer:
        assert answer.status_code == 200
