"""The measurements of a server. Each function takes a fresh one and returns the rows of the table: name and value."""

import asyncio
import math
import re
import signal
import socket
import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from tests.bench.candidates import Running
from tests.bench.client import Client, download
from tests.bench.data import NATIONAL
from tests.support.raw_http import FORWARDED, HOST, REFUSED, asked, get

Rows = dict[str, str]
Measure = Callable[[Running, float, int], Rows]  # of a server, for so many seconds, with so many slow clients

LIST, PAGE, PROBE, FILE = "/deltakere", "/logg-inn", "/helse", "/deltakere/oversikt.csv"
AT_ONCE, CROWDS = (1, 16, 100), (40, 100, 400)
PATIENCE = 4.0  # seconds that a client waits for a response
LONG, LONGER, ENDLESS = 300_000, 1_000_000, 100_000_000  # lines of 66 bytes
GONE_SECONDS = 20  # within which a disconnected reader must be noticed
BUFFER = 65_536  # the receive buffer of a slow reader's own machine
RELOAD_SECONDS = 30
FORM_HEAD = f"POST {PAGE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded".encode()
BEGUN = {
    "heads": FORM_HEAD,
    "bodies": FORM_HEAD + b"\r\nContent-Length: 5000\r\n\r\nusername=",
    "readers": f"GET /_lines/{LONG} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),
}
SECRET = b"hemmelig-nokkel"
_LOST = (OSError, asyncio.IncompleteReadError, ValueError)  # OSError is also a timeout


@dataclass
class Asked:
    """The results of requests: the seconds of each with status 200, and the number of others."""

    seconds: list[float] = field(default_factory=list)
    lost: int = 0

    def add(self, status: int, seconds: float) -> None:
        """Count a response; the status is 0 if none came."""
        if status == 200:
            self.seconds.append(seconds)
        else:
            self.lost += 1

    def __str__(self) -> str:
        lost = f", {self.lost} of {self.lost + len(self.seconds)} without an answer" if self.lost else ""
        if not self.seconds:
            return f"none{lost}"
        return f"{_ms(statistics.median(self.seconds))}, longest {_ms(max(self.seconds))}{lost}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


# ---- Requests ----


def _request(address: str, cookie: str = "") -> bytes:
    lines = [f"GET {address} HTTP/1.1", "Host: localhost", *([f"Cookie: {cookie}"] if cookie else []), "", ""]
    return "\r\n".join(lines).encode()


def _cookie(server: Running) -> str:
    client = Client(server.live.base_url)
    client.sign_in(NATIONAL)
    client.close()
    return client.headers["Cookie"]


async def _opened(server: Running, buffer: int = 1 << 20) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    connection = socket.socket()
    connection.setblocking(False)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    try:
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", server.port))
    except BaseException:
        connection.close()
        raise
    return await asyncio.open_connection(sock=connection, limit=buffer)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Read a response to its end; returns the status, and whether the connection can be used again."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    if length := re.search(rb"content-length: (\d+)", head):
        await reader.readexactly(int(length[1]))
    elif b"transfer-encoding: chunked" in head:
        size = -1
        while size:
            size = int((await reader.readline()).split(b";")[0], 16)
            await reader.readexactly(size + 2)
    else:
        await reader.read()
        return status, False
    return status, b"connection: close" not in head


async def _ask(server: Running, request: bytes, told: Asked, until: float = 0) -> None:
    """Send requests on one connection: once, or repeatedly as long as it is open."""
    writer, is_open, began = None, True, time.monotonic()
    try:
        reader, writer = await asyncio.wait_for(_opened(server), PATIENCE)
        while is_open:
            writer.write(request)
            status, is_open = await asyncio.wait_for(_answer(reader), PATIENCE)
            ended = time.monotonic()
            told.add(status, ended - began)
            is_open, began = is_open and ended < until, ended
    except _LOST:
        told.add(0, 0)
        await asyncio.sleep(0.05)
    finally:
        if writer:
            writer.transport.abort()


async def _crowd(server: Running, request: bytes, number: int, until: float, told: Asked, *, keeps: bool) -> None:
    """Run so many clients that send requests repeatedly, keeping their connections or not."""

    async def one() -> None:
        while time.monotonic() < until:
            await _ask(server, request, told, until if keeps else 0)

    await asyncio.gather(*[one() for _number in range(number)])


async def _newcomers(server: Running, seconds: float) -> dict[str, Asked]:
    """The responses to a probe and to a new user, each on a new connection, three times a second."""
    end = time.monotonic() + seconds
    told = {"probe": Asked(), "page": Asked()}
    async with asyncio.TaskGroup() as group:
        while time.monotonic() < end:
            group.create_task(_ask(server, _request(PROBE), told["probe"]))
            group.create_task(_ask(server, _request(PAGE), told["page"]))
            await asyncio.sleep(0.3)
    return told


# ---- Load ----


def throughput(server: Running, seconds: float, _slow: int) -> Rows:
    """The list of participants, repeatedly."""
    rows: Rows = {}
    request = _request(LIST, _cookie(server))
    asyncio.run(_crowd(server, request, 4, time.monotonic() + 1, Asked(), keeps=True))  # to warm up
    for number in AT_ONCE:
        told = Asked()
        asyncio.run(_crowd(server, request, number, time.monotonic() + seconds, told, keeps=True))
        p99 = sorted(told.seconds)[int(len(told.seconds) * 0.99)] if told.seconds else 0
        rows[f"the list, {number} at once"] = f"{len(told.seconds) / seconds:.0f}/s, {told}, p99 {_ms(p99)}"
    return rows


def newcomers(server: Running, seconds: float, _slow: int) -> Rows:
    """How long others wait while many clients request the list."""
    rows: Rows = {}
    request = _request(LIST, _cookie(server))

    async def beside(number: int) -> dict[str, Asked]:
        crowd = asyncio.create_task(_crowd(server, request, number, math.inf, Asked(), keeps=True))
        await asyncio.sleep(1)
        told = await _newcomers(server, seconds)
        crowd.cancel()
        return told

    for number in CROWDS:
        told = asyncio.run(beside(number))
        rows |= {f"{what} beside {number} who ask for the list": str(one) for what, one in told.items()}
    return rows


# ---- Slow clients ----


async def _dribble(server: Running, kind: str, enough: asyncio.Event) -> bool:
    """Send or read a byte a second; returns whether the server has closed the connection."""
    try:
        reader, writer = await _opened(server, BUFFER)
        writer.write(BEGUN[kind])
        while not enough.is_set():
            if kind == "readers":
                await reader.read(1)
            else:
                writer.write(b"a")
                await writer.drain()
            await asyncio.sleep(1)
            if reader.at_eof():
                return True
        writer.transport.abort()
    except OSError:
        return True
    return False


def _slow_ones(kind: str, told_as: str) -> Measure:
    async def beside(server: Running, seconds: float, slow: int) -> Rows:
        enough = asyncio.Event()
        dribbling = [asyncio.create_task(_dribble(server, kind, enough)) for _ in range(slow)]
        await asyncio.sleep(2)
        told = await _newcomers(server, seconds)
        memory = server.memory()
        enough.set()
        hung_up = sum(await asyncio.gather(*dribbling))
        name = f"{slow} {told_as}"
        waits = {f"{what} beside {name}": str(one) for what, one in told.items()}
        return waits | {f"{name}, hung up on": str(hung_up), f"{name}, memory": f"{memory} MB"}

    return lambda server, seconds, slow: asyncio.run(beside(server, seconds, slow))


def long_download(server: Running, _seconds: float, _slow: int) -> Rows:
    """A long response to a reader, and another to one who soon disconnects."""
    highest = before = server.memory()
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(download, Client(server.live.base_url), f"/_lines/{LONGER}", patience=120)
        while not coming.done():
            highest = max(highest, server.memory())
            time.sleep(0.1)
    whole = coming.result()
    server.ended.unlink(missing_ok=True)
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        connection.sendall(_request(f"/_lines/{ENDLESS}"))
        connection.recv(1000)
        time.sleep(1)
    began = time.monotonic()
    while not server.ended.exists() and time.monotonic() - began < GONE_SECONDS:
        time.sleep(0.05)
    noticed = f"{time.monotonic() - began:.1f} s" if server.ended.exists() else f"not in {GONE_SECONDS} s"
    return {
        f"download of {whole.size / 1e6:.0f} MB": f"{whole.seconds:.1f} s, first byte after {_ms(whole.first)}",
        "download, memory before and at most": f"{before} MB, {highest} MB",
        "it is noticed that a reader is gone after": noticed,
    }


def register_download(server: Running, _seconds: float, _slow: int) -> Rows:
    """The participant list of a large register as a file, and the waiting of others meanwhile."""
    client = Client(server.live.base_url)
    client.sign_in(NATIONAL)
    highest = before = server.memory()
    told: list[dict[str, Asked]] = []
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(download, client, FILE, patience=600)
        while not coming.done():
            told.append(asyncio.run(_newcomers(server, 1)))
            highest = max(highest, server.memory())
    whole = coming.result()
    name = f"the register's file of {whole.lines - 1} rows"
    waits = {f"{what} beside {name}": str(_together(one[what] for one in told)) for what in told[0]}
    size, seconds, first = whole.size / 1e6, whole.seconds, _ms(whole.first)
    return waits | {
        name: f"{size:.0f} MB in {seconds:.0f} s, first byte after {first}{', cut' if whole.cut else ''}",
        f"{name}, memory before and at most": f"{before} MB, {highest} MB",
    }


def _together(some: Iterable[Asked]) -> Asked:
    every = Asked()
    for one in some:
        every.seconds += one.seconds
        every.lost += one.lost
    return every


# ---- Signals ----


async def _slow_download(server: Running) -> bool:
    """Download at some megabytes a second; returns whether all of it came."""
    reader, writer = await _opened(server, BUFFER)
    writer.write(f"GET /_lines/{LONG} HTTP/1.1\r\n".encode() + HOST + b"\r\n")
    last = b""
    with suppress(OSError):
        while piece := await reader.read(2 * BUFFER):
            last = (last + piece)[-5:]
            await asyncio.sleep(0.02)
    writer.close()
    return last == b"0\r\n\r\n"


def stop(server: Running, _seconds: float, _slow: int) -> Rows:
    """SIGTERM during four downloads."""

    async def measured() -> tuple[list[bool], bool, float]:
        downloads = [asyncio.create_task(_slow_download(server)) for _ in range(4)]
        await asyncio.sleep(1)
        server.process.terminate()
        began, told = time.monotonic(), Asked()
        await asyncio.sleep(0.5)
        await _ask(server, _request(PROBE), told)
        whole = await asyncio.gather(*downloads)
        while server.process.poll() is None and time.monotonic() - began < 40:
            await asyncio.sleep(0.1)
        return whole, bool(told.seconds), time.monotonic() - began

    whole, is_answered, seconds = asyncio.run(measured())
    return {
        "SIGTERM: downloads under way that come whole": f"{sum(whole)} of {len(whole)}",
        "SIGTERM: who comes half a second later": "answered" if is_answered else "refused",
        "SIGTERM: ended after": f"{seconds:.1f} s" if server.process.poll() is not None else "never",
    }


def _processes(server: Running) -> set[bytes]:
    """The processes that respond; none if any request fails."""
    with suppress(OSError, AssertionError):
        return {asked(server.live, get(b"/_process")).body for _number in range(40)}
    return set()


def reload(server: Running, _seconds: float, _slow: int) -> Rows:
    """SIGHUP while eight clients send requests, each on a new connection."""

    async def measured() -> str:
        crowd = asyncio.create_task(_crowd(server, _request(PROBE), 8, math.inf, told, keeps=False))
        before = await asyncio.to_thread(_processes, server)
        server.process.send_signal(signal.SIGHUP)
        began, outcome = time.monotonic(), ""
        while not outcome and time.monotonic() - began < RELOAD_SECONDS:
            after = await asyncio.to_thread(_processes, server)
            if server.process.poll() is not None:
                outcome = "ends the main process"
            elif after and not after & before:
                outcome = f"all processes replaced within {time.monotonic() - began:.0f} s"
        crowd.cancel()
        return outcome or "nothing"

    told = Asked()
    return {"SIGHUP: what it does": asyncio.run(measured()), "probe meanwhile": str(told)}


# ---- Handling of requests ----


def malformed(server: Running, _seconds: float, _slow: int) -> Rows:
    """The requests that must be refused (`tests.web.test_server`), and the log after some with a secret in them."""

    def fault(what: str) -> str:
        request, statuses = REFUSED[what]
        try:
            answer = asked(server.live, request)
        except (OSError, AssertionError, ValueError) as problem:
            return f"{what} ({type(problem).__name__})"
        if (number := len(re.findall(rb"HTTP/1\.[01] \d{3} ", answer.whole))) != 1:
            return f"{what} ({number} answers)"
        return "" if answer.status in statuses else f"{what} ({answer.status})"

    with ThreadPoolExecutor(8) as threads:
        faults = [one for one in threads.map(fault, REFUSED) if one]
    for request in (get(PAGE.encode(), b"Cookie: session=" + SECRET + b"\x00\r\n"), SECRET + b"\r\n\r\n"):
        with suppress(OSError, AssertionError, ValueError):
            asked(server.live, request)
    logged = SECRET in server.log.read_bytes()
    return {
        f"malformed requests, of {len(REFUSED)}, not refused as they must be": _listed(faults),
        "words of a refused request in the log": "yes" if logged else "no",
    }


def headers(server: Running, _seconds: float, _slow: int) -> Rows:
    """The headers that are trusted though only the server may set them, and the server's own headers."""
    plain = asked(server.live, get(b"/_told")).body
    believed = [one.decode() for one in FORWARDED if asked(server.live, get(b"/_told", one + b"\r\n")).body != plain]
    own = dict(asked(server.live, get(PROBE.encode())).headers).get("server", "nothing")
    return {f"headers, of {len(FORWARDED)}, that are believed": _listed(believed), "calls itself": own}


def _listed(found: Iterable[str]) -> str:
    words = list(found)
    return f"{len(words)}: {', '.join(words)}" if words else "none"


MEASURES: dict[str, Measure] = {
    "throughput": throughput,
    "newcomers": newcomers,
    "heads": _slow_ones("heads", "half-sent heads"),
    "bodies": _slow_ones("bodies", "half-sent bodies"),
    "readers": _slow_ones("readers", "readers who hardly read"),
    "download": long_download,
    "register": register_download,
    "stop": stop,
    "reload": reload,
    "malformed": malformed,
    "headers": headers,
}
