"""Making a running stand-in fail, and ending its failures, by its address alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Literal

import requests

Kind = Literal["401", "403", "429", "500", "html", "broken", "slow", "refuse"]
FAIL_PATH = "/_standin/fail"
HEAL_PATH = "/_standin/heal"
_TIMEOUT = 5.0


@dataclass(frozen=True)
class Failure:
    """A failure of a stand-in.

    number: only for requests about this number, None for all. part: the register itself, or the tokens that
    Folkeregisteret's stand-in issues in Maskinporten's place. retry_after: the header's value for 429, None leaves it
    out. status: of the HTML page. times: how often, None until healed.
    """

    kind: Kind
    number: str | None = None
    part: Literal["register", "token"] = "register"
    retry_after: str | None = "30"
    status: int | None = None
    times: int | None = None

    def once_less(self) -> Failure:
        """The failure with one occurrence less."""
        return replace(self, times=None if self.times is None else self.times - 1)


def fail(
    base_url: str,
    kind: Kind,
    number: str | None = None,
    *,
    part: Literal["register", "token"] = "register",
    retry_after: str | None = "30",
    status: int | None = None,
    times: int | None = None,
) -> None:
    """Make the stand-in at `base_url` fail from now on; for the arguments see `Failure`.

    Later failures take precedence. Raises OSError if no stand-in listens there.
    """
    _post(base_url + FAIL_PATH, asdict(Failure(kind, number, part, retry_after, status, times)))


def heal(base_url: str) -> None:
    """End all failures of the stand-in at `base_url`. Raises OSError if no stand-in listens there."""
    _post(base_url + HEAL_PATH, {})


def _post(url: str, body: dict[str, object]) -> None:
    with requests.Session() as session:
        session.trust_env = False  # it runs on this machine, so proxies of the environment do not apply
        session.post(url, json=body, timeout=_TIMEOUT).raise_for_status()
