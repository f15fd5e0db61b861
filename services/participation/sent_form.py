"""The submitted form of a page: parsed once, then passed from the view to the service."""

from dataclasses import dataclass

from services.participation.page import Page, parts_of_mark


@dataclass(frozen=True)
class ShownForm:
    """The version that a form showed, and the form's `key` (None if it has none).

    The form knows its own changes, even if the response was lost. `after`: the key of the user's form that was left
    before this one; its changes after this form was shown are the user's own.
    """

    version: int
    key: str | None = None
    after: str | None = None


@dataclass(frozen=True)
class Choice:
    """A user's choice in a conflict: the own answer or the registered one. `mark`: of the field or the row."""

    mark: str
    mine: bool

    @property
    def key(self) -> str:
        """The field's key."""
        return parts_of_mark(self.mark)[0]


@dataclass(frozen=True)
class SentForm:
    """The form of a page, as sent.

    `page`: the raw values of its controls, which the service parses within its transaction. `undecided`: the marks of
    conflicts without a choice; `untold`: those of them that the user has not been led to. `choice`: the choice of the
    pressed button, if any. `undone`: the version of a change by the user that has removed answers, to be undone.
    `left_as`: the key of a request whose response nobody reads.
    """

    page: Page
    shown: ShownForm
    undecided: frozenset[str] = frozenset()
    untold: frozenset[str] = frozenset()
    choice: Choice | None = None
    undone: int | None = None
    left_as: str | None = None
