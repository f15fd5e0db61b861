"""The form filler sends what a browser would send, and refuses what a user could not do."""

import pytest

from tests.support.forms import Form, FormError, find_form
from tests.support.html_tree import HtmlTree

PAGE = """<!doctype html><html lang="nb"><head><title>x</title></head><body>
<header><form id="out" method="post" action="/logg-ut"><button>Logg ut</button></form></header>
<main><form id="f" method="post" action="/deltakere/ny">
<button type="submit" name="go" value="next" aria-hidden="true">Neste</button>
<input type="hidden" name="csrf_token" value="t">
<label for="a">Fødselsnummer</label><input id="a" name="number" value="1">
<label for="b">Navn</label><input id="b" name="name" value="Ola" readonly>
<label for="c">Merknad</label><textarea id="c" name="note">
en
to</textarea>
<label for="d">Bydel</label><select id="d" name="district"><option value="">Velg</option>
<optgroup label="Øst"><option value="01">Alna</option><option value="02" selected>Bjerke</option></optgroup></select>
<fieldset><legend>Finansiering</legend>
<input type="radio" id="o" name="funding" value="o" checked><label for="o">Ordinær Jobbsjansen</label>
<input type="radio" id="p" name="funding" value="p"><label for="p">Per capita</label></fieldset>
<fieldset aria-labelledby="q"><span id="q">Mål</span>
<input type="checkbox" id="m1" name="goals" value="w"><label for="m1">Lønnet arbeid</label>
<input type="checkbox" id="m2" name="goals" value="s" checked><label for="m2">Ordinær utdanning</label></fieldset>
<input type="checkbox" id="k" name="confirmed"><label for="k">Jeg bekrefter</label>
<fieldset disabled><legend>Stengt</legend><input id="z" name="closed" value="z" aria-label="Lukket"></fieldset>
<input name="gone" value="x" disabled aria-label="Borte">
<button type="submit" name="go" value="next">Neste</button>
<button type="submit" name="remove" value="0" formaction="/deltakere/ny/fjern">Fjern tiltak</button>
<button type="button">Hjelp</button></form>
<input form="f" name="far" value="outside" aria-label="Utenfor"></main></body></html>"""


@pytest.fixture
def form() -> Form:
    return find_form(HtmlTree(PAGE, is_page=True))


def test_untouched_form_sends_its_successful_controls(form: Form) -> None:
    assert form.pairs(form.button("Neste")) == [
        ("csrf_token", "t"),
        ("number", "1"),
        ("name", "Ola"),
        ("note", "en\r\nto"),
        ("district", "02"),
        ("funding", "o"),
        ("goals", "s"),
        ("go", "next"),
        ("far", "outside"),
    ]
    assert form.target(form.button("Neste")) == ("POST", "/deltakere/ny")


def test_fields_are_filled_by_label_name_or_question(form: Form) -> None:
    form.fill(
        {
            "Fødselsnummer": "2",
            "note": "",
            "Bydel": "Alna",
            "Finansiering": "Per capita",
            "Mål": ["Lønnet arbeid"],
            "Jeg bekrefter": True,
        }
    )
    sent = form.pairs(form.button("Fjern tiltak"))
    assert sent[1:] == [
        ("number", "2"),
        ("name", "Ola"),
        ("note", ""),
        ("district", "01"),
        ("funding", "p"),
        ("goals", "w"),
        ("confirmed", "on"),
        ("remove", "0"),
        ("far", "outside"),
    ]
    assert form.target(form.button("Fjern tiltak")) == ("POST", "/deltakere/ny/fjern")
    assert form.value("Bydel") == ["Alna"]
    assert form.value("Mål") == ["Lønnet arbeid"]
    assert form.value("Fødselsnummer") == "2"


def test_enter_presses_the_first_button(form: Form) -> None:
    pressed = form.default_button()
    assert pressed is not None
    assert ("go", "next") in form.pairs(pressed)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("Alder", "5", "has no field «Alder»"),
        ("Navn", "Kari", "cannot be changed"),
        ("Lukket", "x", "cannot be changed"),
        ("Bydel", "Frogner", "has no choice «Frogner»"),
        ("Finansiering", "Gratis", "has no choice «Gratis»"),
        ("Fødselsnummer", True, "takes text"),
        ("csrf_token", "x", "has no field"),
    ],
)
def test_what_a_person_cannot_do_is_refused(form: Form, key: str, value: str | bool, said: str) -> None:
    with pytest.raises(FormError, match=said):
        form.fill({key: value})


def test_forms_are_found_by_button_or_id() -> None:
    tree = HtmlTree(PAGE, is_page=True)
    assert find_form(tree, button="Logg ut").target(None) == ("POST", "/logg-ut")
    assert find_form(tree, form="f").has("Fødselsnummer")
    with pytest.raises(FormError, match="0 forms with the button «Slett»"):
        find_form(tree, button="Slett")
    with pytest.raises(FormError, match="0 buttons «Hjelp»"):
        find_form(tree, form="f").button("Hjelp")
