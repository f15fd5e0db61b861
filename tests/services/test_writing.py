"""Writing transactions: one at a time in a session, and calls after its end."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.access.audit import Action, record
from services.core.db import NestedTransaction, now, session, when_free, writing
from services.tables.participants import AccessEntry

pytestmark = pytest.mark.usefixtures("in_context")


@pytest.fixture
def in_context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def add_line(work: Session) -> None:
    work.add(AccessEntry(at=now(), action="refused", detail={}))


def lines() -> int:
    return session().scalar(select(func.count()).select_from(AccessEntry).where(AccessEntry.action == "refused")) or 0


def test_a_transaction_within_another_is_refused_and_nothing_of_both_is_written() -> None:
    def one_in_another() -> None:
        with writing() as work:
            add_line(work)
            with writing():
                pytest.fail("it was begun")

    with pytest.raises(NestedTransaction):
        one_in_another()
    assert lines() == 0


def test_after_it_another_one_may_begin() -> None:
    for _time in range(2):
        with writing() as work:
            add_line(work)
    assert lines() == 2


def test_a_line_of_the_log_stays_when_the_transaction_that_it_was_written_in_fails() -> None:
    def fail() -> None:
        with writing() as work:
            add_line(work)
            record(Action.REFUSED, viewer=None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert lines() == 1


def test_what_has_to_wait_is_done_once_and_in_its_order() -> None:
    done: list[int] = []
    with writing():
        when_free(lambda: done.append(1))
        when_free(lambda: done.append(2))
        assert done == []
    assert done == [1, 2]
    with writing():
        pass
    assert done == [1, 2]
    when_free(lambda: done.append(3))
    assert done == [1, 2, 3]
