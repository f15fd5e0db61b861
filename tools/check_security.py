"""Lets three scanners loose on the program: `make security`.

`bandit` reads the code. `wapiti` crawls the running program as nobody, as a caseworker and as IMDi's administrator,
and tries what it knows on all that it finds. `sqlmap` looks for SQL injection in the forms and addresses that take
most. The program runs on its production server, with a PostgreSQL and made-up participants of its own, and nothing
else is asked: for everything but 127.0.0.1 the scanners have a proxy that does not exist. All have limits of time.

What they find is printed. What is known to be a false alarm stands in `KNOWN` with its reason; anything else ends the
command with 1.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import select

from services.core.db import db
from services.core.status import Status
from services.standins.keys import load_or_create_key
from services.tables.participants import Participation
from tests.support.client import CheckedClient
from tests.support.databases import POSTGRESQL, Databases, running_app
from tests.support.postgres import running_postgres
from tests.support.server import running_server

ROOT = Path(__file__).resolve().parent.parent
SCANNERS = ROOT / ".venv-security" / "bin"
PARTICIPANTS = 200
CRAWL_SECONDS, MODULE_SECONDS, WAPITI_SECONDS = 20, 7, 240
CASEWORKER, ADMINISTRATOR = "kari.oslo", "admin.imdi"
# Those that ask this program only: others call upon a server of wapiti's, or look for products that are not here.
MODULES = "cookieflags,csp,csrf,crlf,exec,file,htaccess,http_headers,ldap,methods,permanentxss,redirect,sql,timesql,xss"
# What would end the visit, or change who may come in.
LEFT_ALONE = (
    "/logg-ut",
    "/innlogginger/avslutt",
    "/min-bruker",
    "/min-bruker/koder",
    "/brukere/*/handling",
    "/static/*",
)


@dataclass(frozen=True)
class Finding:
    """What a scanner says: which one, what it is about, and where."""

    scanner: str
    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.scanner}: {self.what} ({self.where})"


@dataclass(frozen=True)
class FalseAlarm:
    """What is found and is no fault: patterns of the finding, and the reason."""

    scanner: str
    what: str
    where: str
    reason: str

    def fits(self, one: Finding) -> bool:
        """True if the finding is this one."""
        is_about = re.match(self.what, one.what) and re.match(self.where, one.where)
        return self.scanner == one.scanner and bool(is_about)


KNOWN = (
    FalseAlarm("bandit", "B311", r"services/(demo|standins)/", "made-up data, from a seed"),
    FalseAlarm(
        "bandit", "B311", "app/connections/registers.py", "spreads the moments at which processes ask; no secret"
    ),
    FalseAlarm(
        "bandit", "B105.*'bare-for-utvikling-og-test'", "app/settings/config.py", "production refuses to start with it"
    ),
    FalseAlarm(
        "bandit", "B105.*'demo-passord-2026'", "services/demo/", "the README tells it; production refuses demo users"
    ),
    FalseAlarm(
        "bandit", "B105.*'(password_|no_token|Bearer|')", "services/", "names of events, errors and schemes, and ''"
    ),
    FalseAlarm("bandit", "B105.*'(only-for-|feil-)", "tools/", "of a program that runs for a check, and a wrong one"),
    FalseAlarm("bandit", "B608", "services/migrations/", "names of columns and triggers that stand in the same file"),
    FalseAlarm(
        "bandit", "B608", "services/backup/backup.py", "the name of a sequence, as PostgreSQL gives and quotes it"
    ),
    FalseAlarm("bandit", "B704", "app/__init__.py", "marks what Jinja has drawn and escaped itself"),
    FalseAlarm("bandit", "B704", "app/web/menu.py", "the same, with the token put in"),
    FalseAlarm("bandit", "B40|B60", "tools/", "fixed programs with fixed arguments, without a shell"),
    FalseAlarm("wapiti", "Clickjacking", "", "`frame-ancestors 'none'` of the content policy says the same"),
    FalseAlarm(
        "wapiti",
        "HTTP Strict Transport|Secure Flag|.*Secure flag",
        "",
        "asked over http; `test_headers` asks production",
    ),
)


def main() -> None:
    """Scan, say what was found, and end with 1 if something is new."""
    started = time.monotonic()
    found = list(_findings())
    for alarm in KNOWN:
        if number := sum(alarm.fits(one) for one in found):
            print(f"{number} × {alarm.scanner}, {alarm.what}: false alarm, {alarm.reason}")
    new = [str(one) for one in found if not any(alarm.fits(one) for alarm in KNOWN)]
    print(f"{len(new)} faults found in {time.monotonic() - started:.0f} s")
    if new:
        sys.exit("\n".join(new))


def _findings() -> Iterator[Finding]:
    yield from _bandit()
    with _running() as place:
        for aim in place.aims():  # before participants are deleted by wapiti, which presses every button
            yield from _sqlmap(place, aim)
        for username in (None, CASEWORKER, ADMINISTRATOR):
            yield from _wapiti(place, username)
        yield from _failures(place)


# ---- The program ----


@dataclass(frozen=True)
class Aim:
    """What sqlmap shall try: all values of an address (`*` marks a part of a path) or of a form, for so long."""

    address: str
    data: Mapping[str, str] | None = None
    username: str | None = CASEWORKER
    seconds: int = 70


@dataclass(frozen=True)
class Place:
    """The running program: its address, the folder for what the scanners write, a participant, its log, and by user the
    cookie and the token of a visit."""

    base_url: str
    folder: Path
    public_id: str
    log: Path
    visits: Mapping[str | None, tuple[str, str]]

    def aims(self) -> Iterator[Aim]:
        """The forms and addresses that take most."""
        yield Aim("/logg-inn", {"username": "kari.oslo", "password": "feil-passord", "neste": "/deltakere"}, None, 220)
        criteria = {
            "q": "Kari",
            "endret-av": "kari.oslo",
            "status": "endret",
            "oppstart-fra": "01.01.2020",
            "visning": "",
        }
        yield Aim("/deltakere/sok", criteria)
        yield Aim("/deltakere?sorter=navn&retning=synkende&side=1&antall=50&status=endret&oppstart-fra=2020-01-01")
        yield Aim(f"/deltakere/{self.public_id}*/historikk")
        yield Aim("/brukere/sok", {"q": "Kari", "visning": "sorter=navn"}, ADMINISTRATOR)


@contextmanager
def _running() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as name, running_postgres() as postgres:
        folder = Path(name)
        load_or_create_key(folder / "key.pem")
        settings = {
            "APP_ENV": "development",
            "SECRET_KEY": "only-for-this-check-and-long-enough-for-it",
            "MASKINPORTEN_CLIENT_ID": "security",
            "MASKINPORTEN_KEY_FILE": str(folder / "key.pem"),
            "MASKINPORTEN_KEY_ID": "security-1",
            "DOWNLOADS_PER_HOUR": "100000",
            "LIST_PAGES_PER_HOUR": "1000000",
            "LOOKUPS_PER_HOUR": "100000",
            **dict.fromkeys(("FREG_URL", "MASKINPORTEN_URL", "PAD_URL"), "http://127.0.0.1:1"),
        }
        settings["DATABASE_URL"] = Databases(folder, lambda: postgres, settings).filled(POSTGRESQL, PARTICIPANTS)
        with running_app(settings) as app:
            app.test_client_class = CheckedClient
            visits = {username: _visit(app.test_client(), username) for username in (None, CASEWORKER, ADMINISTRATOR)}
            with app.app_context():
                own = (Participation.municipality_number == "0301", Participation.status == Status.CHANGED)
                public_id = db.session.scalars(select(Participation.public_id).where(*own).limit(1)).one()
        with running_server(settings, application="tools.unthrottled:app") as server:
            yield Place(server.base_url, folder, public_id, server.log, visits)


def _visit(client: CheckedClient, username: str | None) -> tuple[str, str]:
    """The cookie's value and a token of the forms, of a visit in the database that the server will read."""
    if username:
        client.login(username)
    page = client.get("/hjelp" if username else "/logg-inn").text
    cookie = client.get_cookie("session")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    if cookie is None or token is None:
        raise RuntimeError(f"no visit for {username}")
    return cookie.value, token[1]


def _failures(place: Place) -> Iterator[Finding]:
    """Failures of the program that the scanners have brought about, by its own log."""
    for line in place.log.read_text(encoding="utf-8", errors="replace").splitlines():
        if '"level": "ERROR"' in line or "Traceback" in line:
            yield Finding("log", line[:2000], "the program's log")


# ---- The scanners ----


def _bandit() -> Iterator[Finding]:
    read = ("app", "services", "tools", "wsgi.py")
    said = _run("bandit", "--quiet", "--format", "json", "-r", *read, seconds=120)
    for one in json.loads(said)["results"]:
        yield Finding("bandit", f"{one['test_id']} {one['issue_text']}", f"{one['filename']}:{one['line_number']}")
    print(f"bandit has read {', '.join(read)}")


def _wapiti(place: Place, username: str | None) -> Iterator[Finding]:
    who, target = username or "nobody", place.folder / f"wapiti-{username}"
    target.mkdir()
    limits = {"max-scan-time": CRAWL_SECONDS, "max-attack-time": MODULE_SECONDS, "max-links-per-page": 60, "depth": 5}
    command = [
        "--url",
        f"{place.base_url}/",
        "--module",
        MODULES,
        "--level",
        "2",
        "--skip",
        "csrf_token",
        "--no-bugreport",
    ]
    command += [word for name, value in limits.items() for word in (f"--{name}", str(value))]
    command += ["--format", "json", "--output", str(target / "found.json"), "--detailed-report", "1", "--flush-session"]
    command += ["--store-session", str(target), "--store-config", str(target), "--tasks", "4", "--verify-ssl", "0"]
    command += [word for path in LEFT_ALONE for word in ("--exclude", f"{place.base_url}{path}")]
    command += ["--cookie-value", f"session={place.visits[username][0]}"]
    command += ["--endpoint", "http://127.0.0.1:9/", "--dns-endpoint", "localhost"]  # else it looks for its maker's
    _run("wapiti", *command, seconds=WAPITI_SECONDS)
    report = json.loads((target / "found.json").read_text(encoding="utf-8"))
    pages = report["infos"]["crawled_pages_nbr"]
    print(f"wapiti, as {who}: {pages} addresses and forms crawled")
    if pages < (2 if username is None else 10):
        yield Finding("wapiti", "saw next to nothing", who)
    for kind in ("vulnerabilities", "anomalies"):
        for what, ones in report[kind].items():
            for one in ones:
                yield Finding("wapiti", f"{what}: {one['info']}", f"{who}, {one['method']} {one['path']}")


def _sqlmap(place: Place, aim: Aim) -> Iterator[Finding]:
    cookie, token = place.visits[aim.username]
    where, started = aim.address.partition("?")[0], time.monotonic()
    command = ["-u", f"{place.base_url}{aim.address}", "--batch", "--level", "2", "--risk", "1", "--time-sec", "2"]
    command += ["--time-limit", str(aim.seconds), "--output-dir", str(place.folder / "sqlmap"), "--flush-session"]
    command += ["--cookie", f"session={cookie}", "--drop-set-cookie", "--ignore-code", "401", "--disable-coloring"]
    command += ["--answers", "redirect=N,stay=N,process URI=Y", "--skip", "csrf_token"]
    if aim.data is not None:
        command += ["--data", urlencode({"csrf_token": token, **aim.data})]
        command += ["--headers", "HX-Request: true\nHX-Request-Type: partial"]  # the answer holds what was found
    said = _run("sqlmap", *command, seconds=aim.seconds + 60)
    yield from (Finding("sqlmap", f"injectable: {one}", where) for one in re.findall(r"^Parameter: (.+)$", said, re.M))
    tried = set(re.findall(r"testing for SQL injection on (.+)", said))
    end = "" if "all tested parameters do not appear" in said else ", ended by its limit"
    print(f"sqlmap, {where}: {len(tried)} values in {time.monotonic() - started:.0f} s{end}")
    if not tried:
        yield Finding("sqlmap", f"has tried nothing: {said[-600:]}", where)


def _run(scanner: str, *arguments: str, seconds: int) -> str:
    """What a scanner says. If it does not end in time, it is killed, and the command fails."""
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    environ = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PYTHONWARNINGS": "ignore", **nowhere}
    environ |= dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1")
    command = [str(SCANNERS / scanner), *arguments]
    with tempfile.TemporaryDirectory() as home:
        answer = subprocess.run(  # noqa: S603
            command, cwd=ROOT, env={**environ, "HOME": home}, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=seconds, check=False,
        )  # fmt: skip
    return answer.stdout


if __name__ == "__main__":
    main()
