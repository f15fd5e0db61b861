"""The checker of HTML itself: good HTML passes, each kind of mistake is found and named."""

import pytest
from werkzeug.routing import Map, Rule

from tests.support.html_addresses import holds_national_id
from tests.support.html_checks import check_html

ADAPTER = Map(
    [
        Rule("/deltakere", endpoint="list", methods=["GET"]),
        Rule("/deltakere/ny", endpoint="new", methods=["GET", "POST"]),
        Rule("/deltakere/ny/oppslag", endpoint="look_up", methods=["POST"]),
        Rule("/mappe/", endpoint="folder", methods=["GET"]),
        Rule("/static/<path:filename>", endpoint="static", methods=["GET"]),
    ]
).bind("localhost")

GOOD_FORM = """
<form id="f" method="post" action="/deltakere/ny" data-hx-post="/deltakere/ny" data-hx-target="#here">
<input type="hidden" name="csrf_token" value="t">
<label for="n">Fødselsnummer</label><input id="n" name="n" aria-describedby="h"
 data-hx-post="/deltakere/ny/oppslag" data-hx-trigger="input delay:300ms"><p id="h">11 siffer</p>
<fieldset><legend>Finansiering</legend>
<input type="radio" id="o" name="funding" value="o"><label for="o">Ordinær</label></fieldset>
<button type="submit" name="go" value="next">Neste</button>
<input type="hidden" name="slutt" value="1"></form>
<div id="here"></div>"""


def page(body: str, *, title: str = "Deltakere – Registeret", head: str = "", lang: str = "nb") -> str:
    return (
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
        f"<body><main>{body}</main></body></html>"
    )


def check(source: str, *, is_page: bool = True, assets: bool = True) -> None:
    check_html(
        source,
        is_page=is_page,
        url_adapter=ADAPTER,
        address="/deltakere",
        asset_exists=lambda path: assets and path.startswith("/static/"),
    )


def test_good_page_passes() -> None:
    check(
        page(
            f"""<h1>Deltakere</h1><h2>Alle</h2>{GOOD_FORM}
            <nav aria-label="Sider"><ul><li><a href="/deltakere?side=2" data-hx-get="/deltakere?side=2"
             data-hx-target="#here">2</a></li></ul></nav>
            <table><caption>Alle</caption><thead><tr><th scope="col" aria-sort="none">Navn</th></tr></thead>
            <tbody><tr><td><svg viewBox="0 0 1 1" aria-hidden="true"><path d="M0 0"/></svg> Ola</td></tr></tbody>
            </table>
            <a href="mailto:jobbsjansen@imdi.no">Skriv</a> <a href="https://www.imdi.no/sporsmal/">Spørsmål</a>
            <a href="#here">Ned</a> <img src="data:image/gif;base64,R0lGOD" alt="">
            <form method="get" action="/deltakere"><input name="q" aria-label="Søk"><button>Søk</button></form>
            <dialog id="d"></dialog><template id="t"><p>Ingen kontakt</p></template>""",
            title="Feil: Deltakere – Registeret",
            head='<link rel="stylesheet" href="/static/app.abc.css"><script src="/static/app.js" defer></script>',
        )
    )


def test_good_fragments_pass() -> None:
    check(GOOD_FORM, is_page=False)
    check('<tr><td><a href="/deltakere">Alle</a></td></tr>', is_page=False)
    check('<title>Side 2 – Registeret</title><h2>Alle</h2><p id="x">25</p>', is_page=False)
    check('<p>Feil</p><button type="submit" data-hx-post="/deltakere/ny/oppslag">Prøv igjen</button>', is_page=False)
    check('<label for="k">Ny</label><input id="k" aria-describedby="elsewhere">', is_page=False)


H1 = "<h1>Deltakere</h1>"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        # valid HTML
        (page(f"{H1}<p>Åpent <b>og</p></b>"), "line"),
        (page(f"{H1}<div/>"), "line"),
        (page(f"{H1}<table><caption>a</caption><div></div></table>"), "line"),
        (page(f'{H1}<p id="a" id="b">x</p>'), "line"),
        (page(f"{H1}<center>x</center>"), "obsolete"),
        (page(f'{H1}<p name="x">x</p>'), "has no attribute name"),
        (page(f'{H1}<p aria-lable="x">x</p>'), "ARIA knows no aria-lable"),
        (page(f"{H1}<span><ul><li>x</li></ul></span>"), "is a block inside <span>"),
        (page(f"{H1}<ul><div>x</div></ul>"), "may only hold"),
        (page(f'{H1}<a href="/deltakere"><button>x</button></a>'), "put it beside"),
        (page(f'{H1}<label for="x">Navn <button>i</button></label><input id="x">'), "put it beside"),
        (page(f"{H1}<table><caption>a</caption><tr><th>x</th></tr></table>"), "scope"),
        (page(f'{H1}<img src="/static/a.png">'), "add alt"),
        (page(f'{H1}<p tabindex="1">x</p>'), "tabindex"),
        # headings, title, language, landmarks
        (page("<p>x</p>"), "0 <h1>"),
        (page(f"{H1}{H1}"), "2 <h1>"),
        (page(H1, title="Registeret – Deltakere"), "does not begin with the <h1>"),
        (page(f"{H1}<h3>x</h3>"), "use <h2>"),
        (page(H1, lang=""), "say one of"),
        (page(H1).replace("main>", "div>"), "0 <main>"),
        # names, ids, references
        (page(f'{H1}<p id="a">x</p><p id="a">y</p>'), "stands 2 times"),
        (page(f"{H1}<input>"), "has no name"),
        (page(f'{H1}<button><svg aria-hidden="true"></svg></button>'), "has no name"),
        (page(f'{H1}<a href="/deltakere"> </a>'), "has no text"),
        (page(f'{H1}<label for="no">x</label>'), "names no element"),
        (page(f'{H1}<label for="p">x</label><p id="p">x</p>'), "takes no label"),
        (page(f"{H1}<fieldset><p>x</p></fieldset>"), "first child must be <legend>"),
        (page(f'{H1}<label for="r">a</label><input type="radio" id="r">'), "stands in no <fieldset>"),
        (page(f'{H1}<p aria-describedby="no">x</p>'), "not on the page"),
        (
            page(f'{H1}<a href="/deltakere" data-hx-get="/deltakere" data-hx-target="#no">x</a>'),
            "not on the page",
        ),
        (page(f"{H1}<nav><p>x</p></nav>"), "has no name"),
        # forbidden by the content policy or by the project
        (page(f'{H1}<p style="color:red">x</p>'), "use a class"),
        (page(f'{H1}<p onclick="x()">x</p>'), "listen in a script of static/scripts"),
        (page(f"{H1}<script>x()</script>"), "inline script"),
        (page(f"{H1}<style>p{{}}</style>"), "app.css"),
        (page(f'{H1}<a href="/deltakere" hx-get="/deltakere">x</a>'), "write data-hx-get"),
        (page(f'{H1}<p data-hx-on:click="x()">x</p>'), "is not used here"),
        (page(f'{H1}<p data-hx-on--load="x()">x</p>'), "is not used here"),
        (page(f'{H1}<a href="/deltakere" data-hx-boost="true">x</a>'), "is not used here"),
        (page(f'{H1}<button data-hx-delete="/deltakere">x</button>'), "write with POST"),
        (page(f'{H1}<button data-hx-confirm="Sikker?">x</button>'), "dialog"),
        (page(f'{H1}<p data-hx-vals="js:{{a: 1}}">x</p>'), "runs script"),
        (page(f'{H1}<a href="javascript:x()">x</a>'), "leads out"),
        # addresses
        (page(f'{H1}<a href="/ukjent">x</a>'), "no view has this address"),
        (page(f'{H1}<a href="ny/x">x</a>'), "no view has this address"),
        (page(f'{H1}<a href="/mappe">x</a>'), "only redirects"),
        (page(f'{H1}<a href="#no">x</a>'), "leads to no element"),
        (page(f'{H1}<a href="https://example.org/">x</a>'), "leads out"),
        (page(f'{H1}<a href="//example.org/">x</a>'), "leads out"),
        (page(f'{H1}<img alt="" src="https://www.imdi.no/x.png">'), "leads out"),
        (page(f'{H1}<a href="/deltakere?q=30908299902">x</a>'), "11 digits"),
        (page(f'{H1}<a href="/deltakere?q=309082%2099902">x</a>'), "11 digits"),
        (page(f'{H1}<a href="/deltakere" data-hx-vals="{{q:30908299902}}">x</a>'), "11 digits"),
        # forms
        (page(f'{H1}<form method="post" action="/deltakere/ny"><button>x</button></form>'), "csrf_token"),
        (
            page(f'{H1}<form action="/deltakere"><input type="hidden" name="csrf_token" value="x"></form>'),
            "into the address",
        ),
        (page(f"{H1}<form><button>x</button></form>"), "write its action"),
        (page(f"{H1}{GOOD_FORM.replace('/deltakere/ny', '/deltakere')}"), "not POST"),
        (page(f"{H1}{GOOD_FORM}".replace('value="t"', 'value=""')), "csrf_token"),
        (page(f"{H1}{GOOD_FORM}".replace('name="slutt"', 'name="begynt"')), "end_mark"),
        (page(f"{H1}{GOOD_FORM}".replace('value="1"', 'value=""')), "end_mark"),
        (page(f"{H1}{GOOD_FORM}".replace("</form>", '<button name="go" value="x">x</button></form>')), "end_mark"),
        (page(f"{H1}{GOOD_FORM}<input form='f' name='far' aria-label='x'>"), "end_mark"),
        (page(f'{H1}<button data-hx-get="/deltakere">x</button>'), "without JavaScript"),
        (page(f'{H1}<a href="/deltakere" data-hx-get="/deltakere?x=1">x</a>'), "without JavaScript"),
        (
            page(f'{H1}<form action="/deltakere"><input aria-label="x" data-hx-post="/deltakere/ny"></form>'),
            "without JavaScript",
        ),
        (
            page(f'{H1}<form action="/deltakere" data-hx-get="/deltakere/ny"><button>x</button></form>'),
            "without JavaScript",
        ),
        # rendering
        (page(f"{H1}<p>{{{{ name }}}}</p>"), "looks unrendered"),
        (page(f"{H1}<p>None</p>"), "looks unrendered"),
        (page(f'{H1}<input aria-label="x" value="None">'), "looks unrendered"),
    ],
)
def test_mistake_is_found(source: str, said: str) -> None:
    with pytest.raises(AssertionError) as caught:
        check(source)
    assert said in str(caught.value)


def test_missing_static_file_is_found() -> None:
    with pytest.raises(AssertionError, match="no such static file"):
        check(page(H1, head='<link rel="stylesheet" href="/static/gone.css">'), assets=False)


def test_all_findings_are_told_at_once() -> None:
    with pytest.raises(AssertionError, match="3 faults in the fragment /deltakere"):
        check('<a href="/ukjent">x</a><p style="x">x</p><input>', is_page=False)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/deltakere/30908299902", True),
        ("/deltakere?q=309082+99902", True),
        ("/deltakere/90000001/data", False),
        ("/deltakere/a30908299902b", False),
        ("/x?t=1732380000000", False),
    ],
)
def test_eleven_digits(address: str, found: bool) -> None:
    assert holds_national_id(address) is found
