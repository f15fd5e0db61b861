"""Deleting: the name for a double check, the confirmation, and who can still see the participant."""

from services.core.clock import today
from services.core.days import date_text
from tests.support.client import form_in, text_of, tree_of
from tests.support.registering import BY_MISTAKE, NAME_IS_RIGHT, START, Office, address, goal_of


def test_the_way_to_deletion_and_what_is_left(office: Office) -> None:
    person = office.someone()
    public_id = office.given(person)
    found = office.participation(public_id)
    client = office.client_of("berit.bergen")
    page = client.get(address(public_id, "slett"))
    tree = tree_of(page)
    assert tree.text(next(tree.elements("h1"))) == f"{person.full_name} · Slett deltaker"
    words = text_of(page)
    assert "Kontroller at dette er den riktige deltakeren:" in words
    assert f"PersonId {found.person_id}" in words
    assert date_text(START) in words

    question = client.submit(page, button="Slett deltaker")  # without JavaScript, a page
    assert question.request.path == address(public_id, "slett", "bekreft")
    assert "Vil du virkelig slette deltakeren?" in text_of(question)
    assert f"{person.full_name}, PersonId {found.person_id}, slettes fra registeret." in text_of(question)
    back = client.follow(question, "Avbryt")
    assert back.request.path == address(public_id, "slett")
    assert office.participation(public_id).deleted_at is None

    dialog = client.submit(page, button="Slett deltaker", partial=True)
    tree = tree_of(dialog)
    assert "Vil du virkelig slette deltakeren?" in text_of(dialog)
    assert tree.accessible_name(next(b for b in tree.elements("button") if "autofocus" in b.attrib)) == "Avbryt"

    done = client.submit(dialog, button="Ja, slett deltaker", fill=BY_MISTAKE)
    assert goal_of(done) == "/deltakere"
    overview = text_of(client.get("/deltakere"))
    assert "Deltakeren er slettet." in overview
    assert person.full_name not in overview
    found = office.participation(public_id)
    assert (found.deleted_by, found.version) == ("berit.bergen", 2)
    assert found.deleted_at is not None
    assert office.changes(public_id)[-1] == (2, "berit.bergen", "deleted", None, {"reason": "mistake", "text": ""})
    assert "delete" in [action for action, _detail in office.log(public_id)]


def test_for_the_municipality_she_is_gone(office: Office) -> None:
    public_id = office.complete()
    client, anne = office.client_of("berit.bergen"), office.client_of("anne.tokommuner")
    question = client.get(address(public_id, "slett", "bekreft"))
    token = dict(form_in(question, button="Ja, slett deltaker").pairs(None))["csrf_token"]
    goal_of(client.submit(question, button="Ja, slett deltaker", fill=BY_MISTAKE))
    before = office.snapshot(public_id)
    for one in (client, anne):
        for word in ("person", "bakgrunn", "programinnhold", "avslutning", "data", "historikk", "slett"):
            assert one.get(address(public_id, word)).status_code == 404
        assert one.get(address(public_id, "slett", "bekreft")).status_code == 404
        assert one.get(address(public_id, "avslutning", "utskriv")).status_code == 404
    for word in ("bakgrunn", "bakgrunn/lagre", "avslutning/utskriv", "slett"):
        version = {} if word == "slett" else {"version": "1"}
        answer = client.post(address(public_id, word), data={"csrf_token": token, **version})
        assert answer.status_code == 404
    assert office.snapshot(public_id) == before


def test_imdi_sees_that_she_is_deleted_by_whom_and_when(office: Office) -> None:
    person = office.someone()
    public_id = office.given(person)
    client = office.client_of("berit.bergen")
    goal_of(
        client.submit(client.get(address(public_id, "slett", "bekreft")), button="Ja, slett deltaker", fill=BY_MISTAKE)
    )
    page = office.page(public_id, "data", "ida.imdi")
    assert person.full_name in text_of(page)
    assert f"Slettet {date_text(today())} av berit.bergen" in text_of(page)
    history = text_of(office.page(public_id, "historikk", "ida.imdi"))
    assert "berit.bergen Deltakeren Slettet: Registrert ved en feil" in history
    ida = office.client_of("ida.imdi")
    assert ida.get(address(public_id, "slett")).status_code == 403
    assert goal_of(ida.get(address(public_id, "person"))) == address(public_id, "data")


def test_she_may_be_registered_anew(office: Office) -> None:
    person = office.someone()
    first = office.given(person)
    client = office.client_of("berit.bergen")
    goal_of(client.submit(client.get(address(first, "slett", "bekreft")), button="Ja, slett deltaker", fill=BY_MISTAKE))
    page = office.begin(person)
    assert NAME_IS_RIGHT in text_of(page)
    second = goal_of(office.finish(page)).split("/")[2]
    assert office.participation(second).person_id == office.participation(first).person_id


def test_nobody_else_deletes(office: Office) -> None:
    public_id = office.given()
    for by, status in (("kari.oslo", 404), ("ida.imdi", 403), ("admin.imdi", 403), ("admin.bergen", 403)):
        client = office.client_of(by)
        token = dict(form_in(client.get("/", follow_redirects=True), button="Logg ut").pairs(None))["csrf_token"]
        answer = client.post(address(public_id, "slett"), data={"csrf_token": token})
        assert answer.status_code == status
    assert office.participation(public_id).deleted_at is None
