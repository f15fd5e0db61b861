"""Style sheet and script: built at start from readable sources, served with long caching.

A first visit needs few requests and few bytes, without a JavaScript tool chain. When the program starts, the component
files of Designsystemet that we use, its theme and our own rules become one style sheet, and htmx and our own scripts
become one. Each is written with a hash of its content in the name, beside its brotli and gzip variants, into a folder
named by the hash of everything in it. Such a folder appears in one move and is never changed, so any number of
processes can start at once.

Each of our scripts has one subject (`static/scripts`) and is a function of its own, so that its variables are private.
Scripts communicate by events of the document, by the content of the page, or by the one object of functions that a
script gives to later ones. `.oxlintrc.json` declares which script may use which. The head of each file says what the
user lacks without it. A script that fails while loading stops the later ones; one that fails afterwards fails alone.
"""

import atexit
import gzip
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brotli
from flask import Flask
from whitenoise import WhiteNoise

STATIC_DIR = Path(__file__).parents[1] / "static"
VENDOR_DIR = STATIC_DIR / "vendor"
SCRIPTS_DIR = STATIC_DIR / "scripts"
URL_PREFIX = "/static/"
YEAR_SECONDS = 365 * 24 * 60 * 60

# The layers in order of precedence, and our components in the order of the package's index.css.
LAYERS = "@layer ds.theme, ds.base, ds.components;"
COMPONENTS = (
    ("base", "ds.base"),
    ("heading", "ds.base"),
    ("label", "ds.base"),
    ("link", "ds.components"),
    ("validation-message", "ds.base"),
    ("data-size-workaround", "ds.components"),
    ("button", "ds.components"),
    ("input", "ds.components"),
    ("field", "ds.components"),
    ("fieldset", "ds.components"),
    ("alert", "ds.components"),
    ("skip-link", "ds.components"),
    ("dialog", "ds.components"),
    ("pagination", "ds.components"),
    ("tag", "ds.components"),
    ("chip", "ds.components"),
    ("table", "ds.components"),
)
# Later files may override earlier ones (on paper, in forced colours).
OWN_STYLES = ("tables.css", "filters.css", "app.css", "print.css")
# A script comes after those that it uses. Listeners of the same event run in this order.
OWN_SCRIPTS = (
    # contact with the server, and messages about it
    "contact.js",
    "offline.js",
    "band.js",
    "announce.js",
    # putting a response into the page
    "waiting.js",
    "dialog.js",
    "sign_in_again.js",
    "focus.js",
    "field_values.js",
    "pressing.js",
    # the list of participants, and other lists
    "list_view.js",
    "list_position.js",
    "list_links.js",
    "list_requests.js",
    "list_queue.js",
    "list_downloads.js",
    "list_resend.js",
    # all forms
    "keys.js",
    "end_mark.js",
    "submit_once.js",
    "choices.js",
    # the end of the session
    "cover.js",
    "visit.js",
    # saving while the user types
    "edits.js",
    "look_up.js",
    "saving_line.js",
    "left_page.js",
    "saving.js",
    "leaving.js",
)
# Pictures and the like in `static/` are served unchanged, under a hashed name.
ASSET_SUFFIXES = frozenset({".gif", ".ico", ".jpg", ".png", ".svg", ".webp"})

_COMMENT = re.compile(r"/\*.*?\*/\s*", re.DOTALL)
# Insignificant blanks in our style sheets: none of their strings contains one of these characters (a test checks it).
_BLANKS = re.compile(r"(?<=[{};,:])\s+| (?=\{)")
_LINE_COMMENT = re.compile(r"(^|\s)//.*$")
_LINE_END = re.compile(r"(?<=[;{,(\[])\n")
_CHARSET = re.compile(r'@charset "[^"]*";\s*')


@dataclass(frozen=True)
class StaticBuild:
    """A finished folder, and the file name in it of each asset (`app.css`, `app.js`, …)."""

    folder: Path
    names: Mapping[str, str]

    def url(self, name: str) -> str:
        """The address of `name`; raises KeyError for unknown names."""
        return URL_PREFIX + self.names[name]


def stylesheet() -> str:
    """The whole style sheet as text: layers, theme, components, then our own rules."""
    parts = [f"/* Licences: {URL_PREFIX}{_hashed_name('licences.txt', licences().encode())} */", LAYERS]
    parts.append(_plain_css(VENDOR_DIR / "designsystemet-theme" / "designsystemet.css"))
    for component, layer in COMPONENTS:
        parts.append(f"@layer {layer}{{{_plain_css(VENDOR_DIR / 'designsystemet-css' / f'{component}.css')}}}")
    parts += [_BLANKS.sub("", _plain_css(STATIC_DIR / name)) for name in OWN_STYLES]
    return "\n".join(parts) + "\n"


def script() -> str:
    """The whole script as text: htmx, then our own scripts."""
    htmx = (VENDOR_DIR / "htmx" / "htmx.min.js").read_text(encoding="utf-8").strip()
    return "\n;\n".join([htmx, *(_plain_js(SCRIPTS_DIR / name) for name in OWN_SCRIPTS)]) + "\n"


def licences() -> str:
    """The licence texts of vendored files, which must be part of every copy."""
    texts = (f"{path.parent.name}\n\n{path.read_text(encoding='utf-8')}" for path in VENDOR_DIR.glob("*/LICENSE"))
    return "\n\n".join(sorted(texts))


def build(root: Path) -> StaticBuild:
    """Write the files under `root`, unless exactly these exist already.

    Raises OSError if `root` cannot be created or written to.
    """
    contents = {
        "app.css": stylesheet().encode(),
        "app.js": script().encode(),
        "licences.txt": licences().encode(),
    }
    for path in sorted(STATIC_DIR.iterdir()):
        if path.suffix in ASSET_SUFFIXES:
            contents[path.name] = path.read_bytes()
    names = {name: _hashed_name(name, content) for name, content in contents.items()}
    folder = root / f"static-{_digest(' '.join(names.values()).encode())}"
    if not folder.is_dir():
        _write_folder(folder, {names[name]: content for name, content in contents.items()})
    return StaticBuild(folder, names)


def init_static(app: Flask) -> None:
    """Build the files, serve them under `/static/` and give their addresses to the templates.

    Templates get `stylesheet_url`, `script_url` and, for other files in `static/`, `asset_url(name)`.
    """
    from app.web.responses import security_headers

    built = _build_somewhere(Path(app.instance_path))
    app.jinja_env.globals.update(
        stylesheet_url=built.url("app.css"), script_url=built.url("app.js"), asset_url=built.url
    )
    app.wsgi_app = _StaticServer(app.wsgi_app, built.folder, security_headers(app))  # type: ignore[method-assign]


class _StaticServer(WhiteNoise):
    """WhiteNoise with our headers on all of its responses, including «not modified» and refusals."""

    FOREVER = YEAR_SECONDS

    def __init__(self, application: Callable[..., Any], folder: Path, headers: Mapping[str, str]) -> None:
        # WhiteNoise sets the caching of files; the header for pages does not apply.
        self._extra = [(key, value) for key, value in headers.items() if key.lower() != "cache-control"]
        super().__init__(application, folder, URL_PREFIX, allow_all_origins=False, immutable_file_test=lambda *_: True)

    def serve(self, static_file: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Respond with `static_file` (or «not modified», or a refusal) and our headers."""

        def start(status: str, headers: list[tuple[str, str]]) -> Any:
            return start_response(status, headers + self._extra)

        answer: Iterable[bytes] = WhiteNoise.serve(static_file, environ, start)
        return answer


def _build_somewhere(instance: Path) -> StaticBuild:
    """Build in the instance folder, where the next start finds it; if that is read-only, in a temporary folder."""
    try:
        instance.mkdir(parents=True, exist_ok=True)
        return build(instance)
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="static-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return build(folder)


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Create `folder` with all `files` and their compressed variants in one move."""
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=folder.parent))
    try:
        draft.chmod(0o755)
        for name, content in files.items():
            (draft / name).write_bytes(content)
            (draft / f"{name}.br").write_bytes(brotli.compress(content, quality=11))
            (draft / f"{name}.gz").write_bytes(gzip.compress(content, compresslevel=9, mtime=0))
        try:
            os.rename(draft, folder)
        except OSError:
            # Another process was faster; by its name the folder has the same content.
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _plain_css(path: Path) -> str:
    """A style sheet without comments and without its charset rule, which is valid at a file's beginning only."""
    return _CHARSET.sub("", _COMMENT.sub("", path.read_text(encoding="utf-8"))).strip()


def _plain_js(path: Path) -> str:
    """A script of ours without comments, indentation and insignificant line ends.

    Our scripts use `//` and `/*` in comments only, and no string continues in the next line (a test checks it).
    """
    lines = _COMMENT.sub("", path.read_text(encoding="utf-8")).splitlines()
    return _LINE_END.sub("", "\n".join(filter(None, (_LINE_COMMENT.sub("", line).strip() for line in lines))))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _hashed_name(name: str, content: bytes) -> str:
    path = Path(name)
    return f"{path.stem}.{_digest(content)}{path.suffix}"
