"""No regular expression of the program is slow for any text: all are found in the source and measured."""

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.support.cost import costs_held, seconds_of
from tests.support.house import House
from tests.support.patterns import Found, hostile, patterns_of

LENGTH = 60_000
SECONDS = 0.1  # of the processor, for one text
ALL = patterns_of("app", "services")
USES: tuple[Callable[[re.Pattern[str], str], object], ...] = (
    lambda pattern, text: pattern.fullmatch(text),
    lambda pattern, text: pattern.search(text),
    lambda pattern, text: pattern.sub("", text),
)
TEXTS = {
    "a word": "a" * LENGTH,
    "digits": "1" * LENGTH,
    "blanks": " " * LENGTH,
    "lines": "\n" * LENGTH,
    "addresses": "a@" * (LENGTH // 2),
    "nearly an address": "a@" + "a." * (LENGTH // 2),
    "hyphens": "a@a" + "-" * LENGTH + "a",
    "nearly a day": "1." * (LENGTH // 2),
    "a long month": "januar" * (LENGTH // 6),
    "nearly a telephone number": "(0" * (LENGTH // 2),
    "comments": "/*" * (LENGTH // 2),
    "question marks": "?" * LENGTH,
    "slashes": "/a" * (LENGTH // 2),
    "brackets": "(" * LENGTH,
    "repeated, but for the end": "abc" * (LENGTH // 3) + "!?!?!?",
    "beyond ASCII": "\u00e9\u0661\u2003" * (LENGTH // 3),
}


def test_all_are_found_and_can_be_measured() -> None:
    assert len(ALL) > 70
    unread = [f"{one.where}: {one.fault}" for one in ALL if one.pattern is None]
    assert not unread, "let these stand in their module, made of nothing that only a call knows:\n" + "\n".join(unread)


@pytest.mark.parametrize("found", [one for one in ALL if one.pattern], ids=lambda one: one.where)
def test_none_is_slow(found: Found) -> None:
    assert found.pattern is not None
    measure(found.pattern)


@pytest.mark.parametrize("path", ["/brukere/{}", "/deltakere/{}/data", "/deltakere/{}", "/static/{}", "/{}"])
@pytest.mark.parametrize("what", TEXTS)
def test_none_of_the_addresses_is_slow(house: House, path: str, what: str) -> None:
    """With the converters of the routing library, whose expressions see one part of a path alone."""
    with costs_held(house.app):
        answer = house.client("kari.oslo").get(path.format(quote(TEXTS[what], safe="/")))
    assert answer.status_code in {303, 308, 403, 404, 405}


def test_a_slow_one_would_be_seen() -> None:
    for slow in (r"[^\s@]+@", r"(a|a)*b", r"\s+$"):
        with pytest.raises(AssertionError, match="of the processor"):
            measure(re.compile(slow), length=6_000 if "|" not in slow else 24)


def measure(pattern: re.Pattern[str], length: int = LENGTH) -> None:
    for text in [*hostile(pattern, length), *(text[:length] for text in TEXTS.values())]:
        for use in USES:
            seconds, _result = seconds_of(lambda use=use, text=text: use(pattern, text))
            assert seconds < SECONDS * length / LENGTH, f"{seconds:.3f} s of the processor for {text[:9]!r}…"
