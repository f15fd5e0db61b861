"""A page of a registration as its form was sent: parsed once, then passed from the view to the service."""

from dataclasses import dataclass

from services.participation.page import Page, parts_of_mark


@dataclass(frozen=True)
class ShownForm:
    """What a form on screen showed: which version, and which form it is (`key`, none if it says none).

    What the very form has changed itself is known to it, though the answer may have been lost on the way. `after`:
    the user's form that was left before this one; what it changed after this one was shown is the user's own.
    """

    version: int
    key: str | None = None
    after: str | None = None


@dataclass(frozen=True)
class Choice:
    """Which of two answers shall stand, the user's own or the registered one, by the mark of the field or the row."""

    mark: str
    mine: bool

    @property
    def key(self) -> str:
        """The field's key."""
        return parts_of_mark(self.mark)[0]


@dataclass(frozen=True)
class SentForm:
    """The form of a page, as it was sent.

    `page` holds what stood in its controls; the service reads what that means, within its transaction. `undecided`: the
    marks of what two users have answered and nobody has chosen yet; `untold`: those of them that the user has not been
    led to. `choice`: what a button of such an answer says. `undone`: the version of a change by the user that has taken
    answers away, and is taken back. `left_as`: the key of a request whose response nobody reads.
    """

    page: Page
    shown: ShownForm
    undecided: frozenset[str] = frozenset()
    untold: frozenset[str] = frozenset()
    choice: Choice | None = None
    undone: int | None = None
    left_as: str | None = None
