"""Takes the pictures of the README from the running program: `.venv/bin/python -m tools.take_pictures`.

The persons on them are the stand-ins' synthetic ones; nobody of them exists.
"""

import base64
import struct
import tempfile
import zlib
from collections import Counter
from pathlib import Path
from typing import NoReturn

from playwright.sync_api import Page

from services.standins.keys import load_or_create_key, public_key_pem
from services.standins.population import people
from services.standins.run import Standins, start_standins
from tests.browser.caseworker import BACKGROUND, Caseworker
from tests.support.browser import open_page, running_browser
from tests.support.databases import SQLITE, Databases
from tests.support.server import running_server

DOCS = Path(__file__).resolve().parent.parent / "docs"
SIZE = (1280, 860)
PARTICIPANTS = 2000
COLOURS = 256
CLIENT_ID, KEY_ID = "pictures", "pictures-1"

# The browser decodes its own picture: RGB, line by line.
_PIXELS = """async picture => {
  const image = new Image();
  image.src = 'data:image/png;base64,' + picture;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
  canvas.drawImage(image, 0, 0);
  const rgba = canvas.getImageData(0, 0, image.width, image.height).data;
  const rgb = new Uint8Array(rgba.length / 4 * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) rgb.set(rgba.subarray(from, from + 3), to);
  let text = '';
  for (let at = 0; at < rgb.length; at += 30000) text += String.fromCharCode(...rgb.subarray(at, at + 30000));
  return btoa(text);
}"""


def main() -> None:
    """Take both pictures on a database of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = load_or_create_key(folder / "key.pem")
        running = start_standins(client_id=CLIENT_ID, key_id=KEY_ID, public_key_pem=public_key_pem(key))
        with running as standins, running_browser() as browser:
            settings = _settings(folder, standins)
            database = Databases(folder, _no_postgres, settings).filled(SQLITE, PARTICIPANTS)
            with (
                running_server({**settings, "DATABASE_URL": database}) as server,
                open_page(browser, server.base_url, size=SIZE) as (page, _watch),
            ):
                _take(Caseworker(page))


def _no_postgres() -> NoReturn:
    raise RuntimeError("the pictures need SQLite only")


def _settings(folder: Path, standins: Standins) -> dict[str, str]:
    return {
        "APP_ENV": "test",
        "SECRET_KEY": "only-for-the-pictures-and-long-enough",
        "FREG_URL": standins.freg.base_url,
        "MASKINPORTEN_URL": standins.freg.base_url,
        "PAD_URL": standins.pad.base_url,
        "MASKINPORTEN_CLIENT_ID": CLIENT_ID,
        "MASKINPORTEN_KEY_FILE": str(folder / "key.pem"),
        "MASKINPORTEN_KEY_ID": KEY_ID,
    }


def _take(user: Caseworker) -> None:
    """The overview as a caseworker of Oslo sees it, and a form that is being filled in."""
    user.sign_in("kari.oslo")
    _save(user.page, "overview")
    someone = next(each for each in people()[-1000:] if "ordinary" in each.kinds)  # the demo data leave these out
    user.create(someone, district="Grünerløkka")
    user.answer_all(dict(list(BACKGROUND.items())[:5]))
    user.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    _save(user.page, "form")


def _save(page: Page, name: str) -> None:
    """What the window shows, as docs/NAME.png."""
    picture = base64.b64encode(page.screenshot()).decode()
    blank = page.context.new_page()  # the program's own pages allow no data from elsewhere
    pixels = base64.b64decode(blank.evaluate(_PIXELS, picture))
    blank.close()
    path = DOCS / f"{name}.png"
    path.write_bytes(png(pixels, *SIZE))
    print(f"{path.relative_to(DOCS.parent)}: {path.stat().st_size // 1000} kB")


def png(pixels: bytes, width: int, height: int) -> bytes:
    """A PNG of at most 256 colours: the most frequent ones, and for each of the others the nearest."""
    colours = [pixels[at : at + 3] for at in range(0, len(pixels), 3)]
    counted = [colour for colour, _count in Counter(colours).most_common()]
    palette = counted[:COLOURS]
    place = {colour: index for index, colour in enumerate(palette)}
    place |= {colour: _nearest(colour, palette) for colour in counted[COLOURS:]}
    lines = (bytes(place[colour] for colour in colours[at : at + width]) for at in range(0, len(colours), width))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", b"".join(palette)),
            _chunk(b"IDAT", zlib.compress(b"".join(b"\0" + line for line in lines), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _nearest(colour: bytes, palette: list[bytes]) -> int:
    return min(range(len(palette)), key=lambda at: sum((a - b) ** 2 for a, b in zip(colour, palette[at], strict=True)))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


if __name__ == "__main__":
    main()
