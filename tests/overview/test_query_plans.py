"""The databases' plans for the list: along an index, without a scan of the whole table, and without sorting rows that
an index has in order.

The statements are those that the program sends, captured on the way. SQLite plans by rule. PostgreSQL weighs costs, and
prefers scanning a table of a few thousand rows to an index; so it is told not to (`enable_seqscan`, joins that read a
whole side, and for an order `enable_sort`): what it still does is unavoidable.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import event, text

from services.core.db import db
from services.tables.participants import Participation
from tests.support.databases import DIALECTS, SQLITE, Databases
from tests.support.house import IS_OPEN, IS_PLAIN, House, of_places, running_house
from tests.support.overview_asking import QuickClient, Values, form_data, written
from tests.support.overview_screen import COLUMN_WORDS

PARTICIPANTS = 3000
ORDERS = ["", *(f"sorter={word}{way}" for word in COLUMN_WORDS.values() for way in ("", "&retning=synkende"))]


@pytest.fixture(scope="module", params=DIALECTS)
def large(request: pytest.FixtureRequest, databases: Databases, settings: dict[str, str]) -> Iterator[House]:
    """A house with enough participants for meaningful plans, and up-to-date statistics."""
    with running_house(request.param, databases, settings, PARTICIPANTS) as house:
        with house.app.app_context(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as work:
            work.execute(text("ANALYZE" if request.param == SQLITE else "VACUUM ANALYZE"))
        yield house


@dataclass(frozen=True)
class Plan:
    """A statement of the list, and the steps of its plan in the database's words."""

    statement: str
    steps: list[str]

    @property
    def scans(self) -> list[str]:
        """Steps that scan the whole table, or a whole index of it."""
        return [step for step in self.steps if _IS_SCAN.search(step) and not _IS_PART.search(step)]

    @property
    def sorts(self) -> list[str]:
        """Steps that sort."""
        return [step for step in self.steps if _IS_SORT.search(step)]

    def __str__(self) -> str:
        return "\n".join([self.statement, *self.steps])


_IS_SCAN = re.compile(r"^SCAN participation\b|^Seq Scan on participation\b|^(Bitmap )?Index .*participation.*without")
_IS_PART = re.compile(r"by ix_participation_\w+_missing\b")  # an index with only the rows that have missing fields
_IS_SORT = re.compile(r"^USE TEMP B-TREE FOR .*ORDER BY|^(Incremental )?Sort\b")


@contextmanager
def statements(house: House) -> Iterator[list[tuple[str, Any]]]:
    """Captures the statements on the table of participations."""
    found: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if re.search(r"\bparticipation\b|\bname_index\b", statement) and statement.startswith(("SELECT", "WITH")):
            found.append((statement, parameters))

    with house.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", listen)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", listen)


def plans(house: House, asked: list[tuple[str, Any]], *, keep_order: bool) -> list[Plan]:
    """The plans of these statements."""
    with house.app.app_context(), db.engine.connect() as work:
        if db.engine.dialect.name == SQLITE:
            return [Plan(*one) for one in ((s, _sqlite_steps(work, s, p)) for s, p in asked)]
        for way in ("seqscan", "hashjoin", "mergejoin"):
            work.execute(text(f"SET enable_{way} = off"))
        if keep_order:
            work.execute(text("SET enable_sort = off"))
        found = [Plan(*one) for one in ((s, _postgresql_steps(work, s, p)) for s, p in asked)]
        work.execute(text("RESET ALL"))
        return found


def _sqlite_steps(work: Any, statement: str, parameters: Any) -> list[str]:
    return [row[3] for row in work.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]


def _postgresql_steps(work: Any, statement: str, parameters: Any) -> list[str]:
    answer = work.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar()
    plan = json.loads(answer) if isinstance(answer, str) else answer
    return list(_nodes(plan[0]["Plan"]))


def _nodes(node: dict[str, Any]) -> Iterator[str]:
    """Each step in one line. An index without a condition is scanned from end to end."""
    where = f" on {node['Relation Name']}" if "Relation Name" in node else ""
    by = f" by {node['Index Name']}" if "Index Name" in node else ""
    is_whole = "Index Name" in node and "Index Cond" not in node
    condition = " without a condition" if is_whole else f": {node.get('Index Cond', node.get('Filter', ''))}"
    yield f"{node['Node Type']}{where}{by}{condition}"
    for one in node.get("Plans", ()):
        yield from _nodes(one)


def check_plain(house: House, username: str, query: str) -> None:
    """Check that the first, a middle and the last page of a list without criteria need neither a scan nor a sort."""
    browser = QuickClient.beside(house, username)
    _ids, count = browser.page(query)
    pages = -(-count // 25)
    assert pages > 4
    for page in (1, pages // 3, pages - pages // 3, pages):
        with statements(house) as asked:
            ids, _count = browser.page(f"{query}&side={page}".removeprefix("&"))
        assert ids
        for plan in plans(house, asked, keep_order=True):
            assert not plan.scans, f"page {page} by «{query}» looks at every participant:\n{plan}"
            assert not plan.sorts, f"page {page} by «{query}» is sorted:\n{plan}"


@pytest.mark.parametrize("query", ORDERS)
@pytest.mark.parametrize("username", ["kari.oslo", "ida.imdi"])
def test_the_list_goes_along_an_index(large: House, username: str, query: str) -> None:
    check_plain(large, username, query)


@pytest.mark.parametrize("query", ORDERS)
def test_the_list_of_several_municipalities_merges_their_ranges(large: House, query: str) -> None:
    if "bydel" in query:
        query = ""
    browser = QuickClient.beside(large, "anne.tokommuner")
    for page in (1, 3):
        with statements(large) as asked:
            browser.page(f"{query}&side={page}".removeprefix("&"))
        found = plans(large, asked, keep_order=True)
        ways = [plan for plan in found if "UNION ALL" in plan.statement]
        assert len(ways) == 1
        assert not [plan for plan in found if plan.scans]
        (way,) = ways
        assert not way.sorts, f"the ranges are sorted, not merged:\n{way}"
        assert sum("ix_participation_municipal" in step for step in way.steps) == 2, f"one range each:\n{way}"


FILTERS: list[Values] = [
    {"status": "endret"},
    {"status": ["utskrevet"]},
    {"status": ["opprettet", "endret", "avsluttet", "utskrevet"]},
    {"bydel": ["030101"]},
    {"bydel": ["030101", "030102"]},
    {"finansiering": "ordinaer"},
    {"finansiering": "per-capita"},
    {"mangler": "bakgrunn"},
    {"mangler": "programinnhold"},
    {"mangler": "avslutning"},
    {"mangler": ["bakgrunn", "programinnhold", "avslutning"]},
    {"over": "24"},
    {"over": "48"},
    {"deltok-fra": "2026-01-01"},
    {"deltok-til": "2024-01-01"},
    {"deltok-fra": "2025-01-01", "deltok-til": "2025-01-31"},
    {"oppstart-fra": "2025-01-01", "oppstart-til": "2025-02-01"},
    {"avslutning-fra": "2025-01-01", "avslutning-til": "2025-02-01"},
    {"endret-fra": "2026-06-01"},
    {"endret-til": "2025-06-01"},
    {"endret-av": "kari.oslo"},
    {"endret-av": "kari.oslo,per.oslo"},
    {"status": "endret", "oppstart-fra": "2025-01-01", "mangler": "bakgrunn"},
    {"q": "NUMBER"},
    {"q": "PERSON"},
    {"q": "0101"},
    {"q": "ali"},
    {"q": "al"},
    {"q": "ali, NUMBER, PERSON, 0101, fatima noor"},
    {"q": "ali", "status": "endret"},
    {"q": "PERSON", "status": ["utskrevet"]},
    {"kommune": "4601"},
    {"kommune": ["4601", "5001", "1103"]},
    {"kommune": ["4601", "5001"], "status": "endret", "oppstart-fra": "2025-01-01"},
]


@pytest.mark.parametrize("values", FILTERS, ids=written)
@pytest.mark.parametrize("username", ["kari.oslo", "anne.tokommuner", "ida.imdi"])
def test_no_criterion_looks_at_every_participant(large: House, username: str, values: Values) -> None:
    if "bydel" in values and username == "anne.tokommuner":
        values = {"status": "avsluttet"}
    row = large.ask(_someone(username))[0]
    filled = dict(values)
    if "q" in filled:
        filled["q"] = str(filled["q"]).replace("NUMBER", row.national_id).replace("PERSON", row.person_id)
    browser = QuickClient.beside(large, username)
    for order in ("", "sorter=navn", "sorter=avslutning&retning=synkende"):
        with statements(large) as asked:
            _ids, count, query = browser.ask(form_data(large, username, filled, order))
        pages = -(-count // 25)
        with statements(large) as later:
            browser.page(f"{query}&side={max(1, pages)}".removeprefix("&"))
        for plan in plans(large, [*asked, *later], keep_order=False):
            assert not plan.scans, f"{username} {written(values)} {order}:\n{plan}"


@pytest.mark.parametrize("query", ["finansiering=ordinaer", "deltok-fra=2024-01-01"])
@pytest.mark.parametrize("order", ["", "&sorter=navn", "&sorter=avslutning&retning=synkende"])
@pytest.mark.parametrize("username", ["kari.oslo", "anne.tokommuner", "ida.imdi"])
def test_where_many_fit_the_walk_ends_with_the_page(large: House, username: str, order: str, query: str) -> None:
    """It reads the order row by row: materialising or sorting everything first would prevent an early end. SQLite's
    work on the rows of the page alone does not count."""
    browser = QuickClient.beside(large, username)
    with statements(large) as asked:
        browser.page(query + order)
    (walk,) = [plan for plan in plans(large, asked, keep_order=True) if "AS first" in plan.statement]
    steps = walk.steps
    if "SCAN page" in steps:
        steps = steps[: steps.index("SCAN page")]
        assert "CO-ROUTINE first" in steps, f"«{query}» is put aside:\n{walk}"
    assert not [step for step in steps if _IS_SORT.search(step)], f"«{query}» is sorted:\n{walk}"


def _someone(username: str) -> Any:
    return Participation.__table__.select().where(of_places(username), IS_OPEN, IS_PLAIN).limit(1)


def test_a_scan_and_a_sort_would_be_seen(large: House) -> None:
    """For a column without an index."""
    statement = "SELECT id FROM participation WHERE children > 0 ORDER BY allowance"
    with large.app.app_context():
        no_parameters: Any = () if db.engine.dialect.name == SQLITE else {}
    (plan,) = plans(large, [(statement, no_parameters)], keep_order=True)
    assert plan.scans
    assert plan.sorts
