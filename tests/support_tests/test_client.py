"""The test client checks every response, sends requests as htmx does, and navigates as a user does."""

from collections.abc import Callable

import pytest
from flask import Flask, Response, make_response, redirect, request

from app.web.responses import init_web
from tests.support.client import CheckedClient, text_of

PAGE = (
    '<!doctype html><html lang="nb"><head><meta charset="utf-8"><title>Hei</title></head><body><main><h1>Hei</h1>'
    '<p><a href="/ut">Gå ut</a></p><form method="get" action="/?gammel=1"><input name="q" aria-label="Søk">'
    "<button>Finn</button></form></main></body></html>"
)


@pytest.fixture
def program() -> Flask:
    """A program of a few views with the register's headers, some of which misbehave."""
    app = Flask(__name__, static_folder=None)
    app.test_client_class = CheckedClient
    init_web(app)
    bad = {
        "cached": lambda answer: answer.headers.set("Cache-Control", "private"),
        "vary": lambda answer: answer.headers.set("Vary", "Cookie"),
        "csp": lambda answer: answer.headers.set("Content-Security-Policy", "default-src *"),
        "server": lambda answer: answer.headers.set("Server", "granian/2.8"),
        "mark": lambda answer: answer.headers.remove("X-Register"),
        "cookie": lambda answer: answer.set_cookie("session", "x"),
        "pushed": lambda answer: answer.headers.set("HX-Push-Url", "/?q=30908299902"),
    }

    @app.after_request
    def _spoil(answer: Response) -> Response:
        if request.path[1:] in bad:
            bad[request.path[1:]](answer)
        return answer

    # The function that is registered last runs first; ours must run after the headers are set.
    app.after_request_funcs[None].reverse()
    app.add_url_rule("/", "start", lambda: PAGE.replace("Hei", request.args.get("q", "Hei")))
    app.add_url_rule("/ut", "out", lambda: redirect("/", 303))
    app.add_url_rule("/del", "part", lambda: f"<p>{request.headers}</p>")
    app.add_url_rule("/<any(cached,vary,csp,server,mark,cookie,pushed):_how>", "bad", lambda _how: make_response(PAGE))
    return app


@pytest.fixture
def browser(program: Flask) -> CheckedClient:
    made = program.test_client()
    assert isinstance(made, CheckedClient)
    return made


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/cached", "Cache-Control"),
        ("/vary", "Vary"),
        ("/csp", "Content-Security-Policy"),
        ("/server", "tells a version"),
        ("/mark", "the program's mark"),
        ("/cookie", "HttpOnly"),
        ("/pushed", "11 digits"),
        ("/del", "0 <h1>"),
    ],
)
def test_bad_answers_are_found(browser: CheckedClient, path: str, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        browser.get(path)


def test_links_and_forms_are_used_as_a_person_does(browser: CheckedClient) -> None:
    page = browser.get("/")
    found = browser.submit(page, button="Finn", fill={"Søk": "Åse"})
    assert found.request.args.to_dict() == {"q": "Åse"}
    assert text_of(found).startswith("Åse")
    assert text_of(browser.follow(page, "Gå ut", follow_redirects=True)).startswith("Hei")
    with pytest.raises(AssertionError, match="there are \\['Gå ut'\\]"):
        browser.follow(page, "Gå inn")


def test_fragments_are_asked_for_as_htmx_does(browser: CheckedClient) -> None:
    browser.get("/?q=Her")
    sent = browser.get_partial("/del", source="a#neste", target="div#resultat").get_data(as_text=True)
    for line in (
        "Hx-Request: true",
        "Hx-Request-Type: partial",
        "Hx-Source: a#neste",
        "Hx-Target: div#resultat",
        "Hx-Current-Url: http://localhost/?q=Her",
    ):
        assert line in sent


@pytest.mark.participants(5)
def test_the_register_is_entered_and_left(sign_in: Callable[[str], CheckedClient]) -> None:
    kari = sign_in("kari.oslo")
    assert "Antall deltakere" in text_of(kari.get("/deltakere"))
    assert kari.logout().request.path == "/logg-inn"
    assert kari.get("/deltakere").status_code in {302, 303}
