"""What the project ships of others is unchanged: every manifest's hashes are those of the files."""

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MANIFESTS = [ROOT / "tests/support/vendor/manifest.json"]


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_vendored_files_are_those_of_the_manifest(manifest: Path) -> None:
    entries = json.loads(manifest.read_text(encoding="utf-8"))
    for entry in entries:
        content = (manifest.parent / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], f"{entry['file']} was changed"
        assert entry["version"]
        assert entry["licence"]
    listed = {entry["file"] for entry in entries} | {manifest.name}
    lying = {path.relative_to(manifest.parent).as_posix() for path in manifest.parent.rglob("*") if path.is_file()}
    assert lying == listed, "each file of a vendor folder stands in its manifest"
