"""Measuring the program and its floor in turn, so that disturbances of the machine affect both."""

import gc
import json
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine
from sqlalchemy.engine import URL

from app import create_app
from app.registration.forms import STEP_WORDS
from services.core.i18n import gettext as _
from services.questions.fields import ChoiceField, Field
from services.questions.pages import STEPS
from services.questions.row_fields import RowsField
from tests.bench.client import PARTIAL, Answer, Client, answers_a_second, download
from tests.bench.data import NATIONAL, SEVERAL, SMALL, settings
from tests.bench.facts import MUNICIPALITIES, Facts, gather
from tests.bench.things import FIRST_PAGE, OWN_FIRST_PAGE, OWN_P95, TEN_THOUSAND_TO_A_MILLION, Thing, things
from tests.support.forms import find_form
from tests.support.html_tree import HtmlTree
from tests.support.server import LiveServer, running_server

WORKERS, THREADS = 2, 4
VIEWERS = (NATIONAL, SMALL, SEVERAL)
TOLD = {NATIONAL: "national", SMALL: "one municipality, 2 %", SEVERAL: "five municipalities"}
_WARM_UP = 8  # responses; PostgreSQL's driver prepares a statement at its sixth execution
_LONGEST = 12.0  # seconds for one measurement, program and floor together
_FEWEST = 7  # rounds, unless one takes very long


@dataclass
class Result:
    """One line of the table: times in milliseconds, or in `unit`. `floor`: None if there is none, and something else if
    `beside` says so. `quiet`: the ratio of undisturbed rounds."""

    group: str
    name: str
    viewer: str
    database: str
    size: int
    median: float
    p95: float | None = None
    floor: float | None = None
    limit: float | None = None
    bytes: tuple[int, int] | None = None
    note: str = ""
    beside: str = "floor"
    quiet: float | None = None
    noisy: bool = False
    unit: str = "ms"
    at_least: bool = False
    failures: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float | None:
        """The multiple of the floor."""
        return self.median / self.floor if self.floor else None

    def judge(self) -> "Result":
        """Note if a limit is exceeded."""
        if self.limit is not None and self.floor:
            ratio = self.median / self.floor
            if ratio < self.limit if self.at_least else ratio > self.limit:
                self.failures.append(f"{ratio:.2f} × {self.beside}")
        elif self.limit is not None and (self.median < self.limit if self.at_least else self.median > self.limit):
            self.failures.append(f"more than {self.limit:g} {self.unit}")
        if self.p95 is not None and self.p95 > OWN_P95 * self.median:
            if self.noisy:
                self.note = f"{self.note} p95 {self.p95 / self.median:.1f} × median, but the floor was disturbed too"
            else:
                self.failures.append(f"p95 {self.p95 / self.median:.1f} × median")
        return self


Say = Callable[[Result], None]


@dataclass
class Bench:
    """A program and a floor on one database, and their clients."""

    database: str
    size: int
    runs: int
    patience: float
    match: str
    say: Say
    program: LiveServer
    floor: LiveServer
    facts: dict[str, Facts]
    clients: dict[str, Client] = field(default_factory=dict)
    floors: dict[str, Client] = field(default_factory=dict)
    first_pages: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for viewer in VIEWERS:
            self.clients[viewer] = Client(self.program.base_url)
            self.clients[viewer].sign_in(viewer)
            numbers = ",".join(MUNICIPALITIES[viewer])
            self.floors[viewer] = Client(self.floor.base_url, {"Bench-Municipalities": numbers} if numbers else {})

    def result(self, group: str, name: str, viewer: str, median: float, **more: object) -> Result:
        """A line of the table, judged and reported."""
        result = Result(group, name, TOLD[viewer], self.database, self.size, median, **more).judge()  # type: ignore[arg-type]
        self.say(result)
        return result


@contextmanager
def bench(url: URL, database: str, size: int, *, runs: int, patience: float, match: str, say: Say) -> Iterator[Bench]:
    """Start both servers on a database."""
    address = url.render_as_string(hide_password=False)
    engine = create_engine(url)
    facts = {viewer: gather(engine, viewer) for viewer in VIEWERS}
    engine.dispose()
    with ExitStack() as stack:
        questions = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "questions.json"
        questions.write_text(json.dumps(_questions()), "utf-8")
        served = {"workers": WORKERS, "threads": THREADS}
        environ = {**settings(), "DATABASE_URL": address, "DOWNLOADS_PER_HOUR": "100000"}
        environ["LIST_PAGES_PER_HOUR"] = "1000000"
        program = stack.enter_context(running_server(environ, **served))  # type: ignore[arg-type]
        floor = stack.enter_context(
            running_server(
                {"FLOOR_DATABASE": address, "FLOOR_QUESTIONS": str(questions)},
                application="tests.bench.floor:application",
                **served,
            )
        )
        yield Bench(database, size, runs, patience, match, say, program, floor, facts)


def _questions() -> dict[str, object]:
    """The form pages' unconditional fields with their labels, for the floor."""
    app = create_app({**settings(), "DATABASE_URL": "sqlite://"})
    with app.test_request_context():
        return {
            STEP_WORDS[step.name]: {
                "heading": _(step.title),
                "questions": [_question(one, shown=not one.shown.keys) for one in step.fields],
            }
            for step in STEPS
        }


def _question(question: Field, *, shown: bool) -> dict[str, object]:
    options = [(one.code, _(one.label)) for one in question.options] if isinstance(question, ChoiceField) else []
    inner = [_question(one, shown=True) for one in question.fields] if isinstance(question, RowsField) else []
    return {
        "key": question.key,
        "label": _(question.label),
        "help": _(question.help) if question.help else "",
        "kind": question.kind,
        "required": True,
        "shown": shown,
        "options": options,
        "fields": inner,
    }


# ---- In turn ----


@dataclass(frozen=True)
class Times:
    """Milliseconds of the program and of the floor, round by round."""

    own: list[float]
    floor: list[float]

    @property
    def median(self) -> float:
        """The program's median."""
        return statistics.median(self.own)

    @property
    def p95(self) -> float | None:
        """The program's p95; None after few rounds."""
        return _p95(self.own) if len(self.own) >= 40 else None

    @property
    def quiet(self) -> float | None:
        """The ratio of undisturbed rounds: of the lower tenths."""
        return _tenth(self.own) / _tenth(self.floor) if self.floor else None

    @property
    def is_noisy(self) -> bool:
        """True if the floor, too, was disturbed sometimes; then the program's p95 means little."""
        return len(self.floor) >= 40 and _p95(self.floor) > OWN_P95 * statistics.median(self.floor)

    @property
    def floor_median(self) -> float | None:
        """The floor's median, if it supports the measurement."""
        return statistics.median(self.floor) if self.floor else None


def _tenth(times: list[float]) -> float:
    return sorted(times)[len(times) // 10]


def _p95(times: list[float]) -> float:
    return sorted(times)[-(-len(times) * 95 // 100) - 1]


def by_turns(own: Callable[[], Answer], floor: Callable[[], Answer] | None, runs: int) -> Times:
    """Warm up, then call one and the other `runs` times; fewer if that would take too long."""
    asked = [own] if floor is None else [own, floor]
    started = time.perf_counter()
    for _round in range(_WARM_UP):
        once = time.perf_counter()
        for ask in asked:
            ask()
        one_round = time.perf_counter() - once
        if time.perf_counter() - started > _LONGEST / 4:
            break
    rounds = min(runs, max(_FEWEST if one_round < 4 else 3, int(_LONGEST / one_round)))
    times: dict[bool, list[float]] = {True: [], False: []}
    gc.disable()
    for number in range(rounds):
        for ask in asked if number % 2 else asked[::-1]:
            times[ask is own].append(ask().seconds * 1000)
    gc.enable()
    return Times(times[True], times[False])


def measure_things(on: Bench, groups: set[str]) -> None:
    """Measure all of `things` in one of the groups whose names contain `match`, for all viewers."""
    for viewer in VIEWERS:
        for thing in things(on.facts[viewer]):
            is_wanted = thing.group in groups or (thing.name == FIRST_PAGE and "pages" in groups)
            if is_wanted and (on.match in thing.name or thing.name == FIRST_PAGE):
                _measure_thing(on, viewer, thing)


def _measure_thing(on: Bench, viewer: str, thing: Thing) -> None:
    client, floor_client = on.clients[viewer], on.floors[viewer]
    addresses = _addresses(client, thing)
    floor_headers = {"Bench-Search": ",".join(quote(value) for value in thing.search)} if thing.search else {}
    first = client.get(addresses[0])
    if first.status != 200:
        on.result(thing.group, thing.name, viewer, 0, note=f"not there yet (answers {first.status})")
        return
    floor_addresses = ("/deltakere",) if thing.search else addresses
    floor_first = floor_client.get(floor_addresses[0], floor_headers)
    has_floor = floor_first.status == 200
    for is_part in (False, True) if thing.part_too else (False,):
        headers = PARTIAL if is_part else {}
        own = _asker(client, addresses, headers)
        floor = _asker(floor_client, floor_addresses, {**headers, **floor_headers}) if has_floor else None
        times = by_turns(own, floor, on.runs)
        result = on.result(
            thing.group,
            f"{thing.name}, fragment" if is_part else thing.name,
            viewer,
            times.median,
            p95=times.p95,
            floor=times.floor_median,
            limit=thing.limit,
            quiet=times.quiet,
            noisy=times.is_noisy,
            failures=_differences(first, floor_first) if has_floor else [],
            bytes=None if is_part or not has_floor else (len(first.text), len(floor_first.text)),
        )
        if thing.name == FIRST_PAGE and not is_part:
            on.first_pages[viewer] = result.median
    if thing.beside_first_page and viewer in on.first_pages:
        name = f"{thing.name}, beside the own first page"
        first_page = on.first_pages[viewer]
        on.result(thing.group, name, viewer, times.median, floor=first_page, limit=OWN_FIRST_PAGE, beside="first page")


_TOTAL = re.compile(r"Antall deltakere: ([\d\s]+)<")
_ROW = re.compile(r'<a class="ds-link[^"]*" href="/deltakere/([\w-]{16})/')


def _differences(own: Answer, floor: Answer) -> list[str]:
    """Differences between the participants shown by the program and by the floor, one of which is then wrong."""
    found = []
    for told, pattern in (("another number", _TOTAL), ("other rows", _ROW)):
        ours, theirs = (pattern.findall(answer.text) for answer in (own, floor))
        if ours != theirs:
            found.append(f"{told} than the floor ({', '.join(ours[:1])} and {', '.join(theirs[:1])})")
    return found


def _asker(client: Client, addresses: tuple[str, ...], headers: dict[str, str]) -> Callable[[], Answer]:
    """Request one address after the other; any status but 200 is an error."""
    numbers = count()

    def ask() -> Answer:
        answer = client.get(addresses[next(numbers) % len(addresses)], headers)
        if answer.status != 200:
            raise RuntimeError(f"{addresses[0]} answers {answer.status}")
        return answer

    return ask


def _addresses(client: Client, thing: Thing) -> tuple[str, ...]:
    """The addresses of a measurement in the program; searches are sent first, and then have an address of their own."""
    if not thing.search:
        return thing.addresses
    token = client.token("/deltakere")
    answer = client.post("/deltakere/sok", [("csrf_token", token), ("q", ", ".join(thing.search))])
    return (answer.headers["location"] if answer.status == 303 else "/deltakere/sok",)


def measure_growth(small: Bench, large: Bench) -> None:
    """Measure a large register and a small one in turn, for measurements that must not get much slower."""
    for viewer in VIEWERS:
        of_small, of_large = (
            [thing for thing in things(on.facts[viewer]) if thing.flat and on.match in thing.name]
            for on in (small, large)
        )
        for little, much in zip(of_small, of_large, strict=True):
            own, beside = (
                _asker(on.clients[viewer], _addresses(on.clients[viewer], thing), {})
                for on, thing in ((large, much), (small, little))
            )
            times = by_turns(own, beside, large.runs)
            name = f"{much.name}, beside {small.size} rows"
            large.result(
                "growth",
                name,
                viewer,
                times.median,
                floor=times.floor_median,
                limit=TEN_THOUSAND_TO_A_MILLION,
                beside="the small one",
                quiet=times.quiet,
            )


# ---- Saving ----

SAVE = 3.0  # times a bare UPDATE
_CHOICES = ("nav", "network")


def measure_saving(on: Bench) -> None:
    """A changed answer on page 2, sent by «Neste», against a bare UPDATE on the same server."""
    client, floor_client = on.clients[SMALL], on.floors[SMALL]
    forms = on.facts[SMALL].forms
    writers = [_Form(client, public_id) for public_id in forms[:10]]
    others = forms[10:20]
    numbers, floor_numbers = count(), count()

    def own() -> Answer:
        number = next(numbers)
        return writers[number % len(writers)].save(number // len(writers))

    def floor() -> Answer:
        number = next(floor_numbers)
        word = _CHOICES[number // len(others) % 2]
        answer = floor_client.post(f"/deltakere/{others[number % len(others)]}/bakgrunn", [("recruitment", word)])
        if answer.status != 303:
            raise RuntimeError(f"the floor's saving answers {answer.status}")
        return answer

    times = by_turns(own, floor, on.runs)
    on.result(
        "save",
        "saving page 2",
        SMALL,
        times.median,
        p95=times.p95,
        floor=times.floor_median,
        limit=SAVE,
        quiet=times.quiet,
        noisy=times.is_noisy,
    )


class _Form:
    """Page 2 of a participant, opened once and sent repeatedly."""

    def __init__(self, client: Client, public_id: str) -> None:
        self._client = client
        self._address = f"/deltakere/{public_id}/bakgrunn"
        form = find_form(HtmlTree(client.get(self._address).text, is_page=True), form="registrering")
        sent = form.pairs(form.button("Neste"))
        self._version = int(dict(sent)["version"])
        self._before = dict(sent)["recruitment"]
        self._pairs = [pair for pair in sent if pair[0] not in {"version", "recruitment"}]

    def save(self, time_around: int) -> Answer:
        """Send it with another answer than last time."""
        words = [word for word in _CHOICES if word != self._before]
        self._before = words[time_around % len(words)]
        pairs = [*self._pairs, ("version", str(self._version)), ("recruitment", self._before)]
        answer = self._client.post(self._address, pairs)
        if answer.status != 303:
            raise RuntimeError(f"saving answers {answer.status}")
        self._version += 1
        return answer


# ---- The full download ----

FULL = "/deltakere/fullt-datasett.csv"
CSV, CSV_FIRST_BYTE, CSV_MEMORY, CSV_OTHERS = 1.5, 100.0, 16.0, 3.0


def measure_download(on: Bench) -> None:
    """The full data set of the whole country: time, first byte, memory, and the effect on others."""
    client, floor_client = on.clients[NATIONAL], on.floors[NATIONAL]
    for one in (client, client, floor_client, floor_client):  # warm up, if possible both workers
        download(one, FULL, patience=2)
    with _memory(on.program) as grown:
        own = download(client, FULL, patience=on.patience)
    floor = download(floor_client, FULL, patience=on.patience)
    note = f"{own.size / 1e6:.0f} MB in {own.seconds:.1f} s, floor {floor.size / 1e6:.0f} MB in {floor.seconds:.1f} s"
    times = own.seconds * 1000, floor.seconds * 1000
    if own.cut:
        note = f"given up after {own.seconds:.0f} s; the time is reckoned from the lines that came. {note}"
        times = own.seconds / own.lines * floor.lines * 1000, floor.seconds * 1000
    on.result("csv", "full CSV", NATIONAL, times[0], floor=times[1], limit=CSV, note=note)
    on.result("csv", "full CSV: first byte", NATIONAL, own.first * 1000, limit=CSV_FIRST_BYTE)
    on.result("csv", "full CSV: memory grows by", NATIONAL, max(grown), limit=CSV_MEMORY, unit="MB")
    _measure_others(on)


@contextmanager
def _memory(server: LiveServer) -> Iterator[list[float]]:
    """The growth of the largest worker within the block, in MB, by samples."""
    workers = _workers(server)
    before = {worker: _resident(worker) for worker in workers}
    grown, ended = [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            grown.append(max(_resident(worker) - before[worker] for worker in workers))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield grown
    finally:
        ended.set()
        watching.join()


def _workers(server: LiveServer) -> list[int]:
    process = server.process_id
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _resident(process: int) -> float:
    """Megabytes of memory used by a process."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def _measure_others(on: Bench) -> None:
    """The list of a caseworker while somebody else downloads the full data set."""
    time.sleep(2)  # an aborted download is noticed at the next piece only
    ask = _asker(on.clients[SMALL], ("/deltakere",), {})
    idle = by_turns(ask, None, on.runs)
    busy: list[float] = []
    ended = threading.Event()
    greedy = Client(on.program.base_url, dict(on.clients[NATIONAL].headers))

    def take() -> None:
        while not ended.is_set():
            download(greedy, FULL, patience=min(on.patience, 15))

    taking = threading.Thread(target=take)
    taking.start()
    until = time.perf_counter() + 10
    time.sleep(0.3)
    while time.perf_counter() < until and len(busy) < 4 * on.runs:
        busy.append(ask().seconds * 1000)
    ended.set()
    taking.join()
    median = statistics.median(busy)
    on.result(
        "csv", "list during a full CSV, beside idle", SMALL, median, floor=idle.median, limit=CSV_OTHERS, beside="idle"
    )


# ---- Many at once, and bytes ----

CONNECTIONS, LOAD = 16, 0.4


def measure_load(on: Bench) -> None:
    """Responses per second, at least 0,4 of the floor's. Many short rounds, since a connection stays with the process
    that accepted it, and the distribution of 16 of them over two processes is random."""
    for viewer in VIEWERS:
        found: dict[str, list[float]] = {"own": [], "floor": []}
        for _round in range(11):
            for whose, client in (("own", on.clients[viewer]), ("floor", on.floors[viewer])):
                found[whose].append(answers_a_second(client, "/deltakere", connections=CONNECTIONS, seconds=1))
        own, floor = (statistics.median(found[whose]) for whose in ("own", "floor"))
        name = f"answers a second, {CONNECTIONS} connections"
        on.result("load", name, viewer, own, floor=floor, limit=LOAD, unit="/s", at_least=True)


FRAGMENT_BYTES, FIRST_VISIT_BYTES, FIRST_VISIT_REQUESTS, PAGE_BYTES = 3500, 45_000, 4, 8000


def measure_bytes(on: Bench) -> None:
    """Bytes on the line, compressed: a fragment's body, and a page's body with headers."""
    for viewer in VIEWERS:
        client = on.clients[viewer]
        pages = [client.get("/deltakere?sorter=navn", PARTIAL), client.get("/deltakere")]
        on.result("bytes", "fragment of 25 rows", viewer, len(pages[0].body), limit=FRAGMENT_BYTES, unit="bytes")
        on.result("bytes", "list page", viewer, pages[1].line_bytes, limit=PAGE_BYTES, unit="bytes")
    public_id = on.facts[SMALL].forms[0]
    for word in ("person", "bakgrunn", "programinnhold", "data", "historikk", "slett"):
        answer = on.clients[SMALL].get(f"/deltakere/{public_id}/{word}")
        on.result("bytes", f"page {word}", SMALL, answer.line_bytes, limit=PAGE_BYTES, unit="bytes")
    answers = _first_visit(on)
    total = sum(answer.line_bytes for answer in answers)
    on.result("bytes", "first visit", SMALL, total, limit=FIRST_VISIT_BYTES, unit="bytes")
    on.result("bytes", "first visit: requests", SMALL, len(answers), limit=FIRST_VISIT_REQUESTS, unit="requests")


def _first_visit(on: Bench) -> list[Answer]:
    """From the bare address to the sign-in page with its style sheet and script."""
    client = Client(on.program.base_url)
    answers = [client.get("/")]
    while 300 <= answers[-1].status < 400:
        answers.append(client.get(answers[-1].headers["location"]))
    tree = HtmlTree(answers[-1].text, is_page=True)
    links = [one.attrib["href"] for one in tree.elements("link")]
    links += [one.attrib["src"] for one in tree.elements("script")]
    return [*answers, *(client.get(link) for link in links if link.startswith("/"))]
