"""The duration of a session, the warning before its end, and «Mine innlogginger»."""

import json
from datetime import timedelta

from sqlalchemy import update

from services.accounts.sign_in import digest
from services.core.db import now
from services.tables.accounts import UserSession
from tests.support.client import CheckedClient, form_in, htmx_headers, text_of
from tests.support.house import House

UNASKED = {**htmx_headers(), "X-Uspurt": "1"}


def signed_in(house: House, username: str = "kari.oslo") -> CheckedClient:
    """A new client of the user."""
    client = house.nobody()
    client.login(username)
    return client


def idle(house: House, client: CheckedClient, minutes: float, began: float = 0) -> None:
    """Make the user's session idle for so many minutes, begun so many minutes ago."""
    cookie = client.get_cookie("session")
    assert cookie is not None
    values = {"seen_at": now() - timedelta(minutes=minutes), "created_at": now() - timedelta(minutes=began or minutes)}
    house.write(update(UserSession).where(UserSession.key_hash == digest(cookie.value)).values(**values))


def seconds(answer_header: str) -> int:
    """The remaining seconds sent to the page."""
    return int(json.loads(answer_header)["varighet"]["seconds"])


def test_asking_how_long_it_lasts_does_not_prolong_it(own_house: House) -> None:
    client = signed_in(own_house)
    idle(own_house, client, 20)
    for _again in range(2):
        answer = client.get("/innlogget", headers=UNASKED)
        assert answer.status_code == 204
        assert 9 * 60 < seconds(answer.headers["HX-Trigger"]) <= 10 * 60
    client.get("/hjelp")
    assert seconds(client.get("/innlogget", headers=UNASKED).headers["HX-Trigger"]) > 29 * 60


def test_before_its_end_there_is_a_warning_and_forleng(own_house: House) -> None:
    client = signed_in(own_house)
    idle(own_house, client, 28.5)
    warning = client.get("/innlogget", headers=UNASKED)
    assert "Du blir logget ut om 1 minutt" in text_of(warning)
    done = client.submit(form_in(warning, button="Forleng"), button="Forleng", partial=True)
    assert seconds(done.headers["HX-Trigger"]) == 30 * 60
    assert client.get("/innlogget", headers=UNASKED).status_code == 204
    idle(own_house, client, 31)
    assert client.get("/innlogget", headers=UNASKED).status_code == 401


def test_nothing_prolongs_it_beyond_twelve_hours(own_house: House) -> None:
    client = signed_in(own_house)
    idle(own_house, client, 1, began=12 * 60 - 1)
    warning = client.get("/innlogget", headers=UNASKED)
    assert "Du blir logget ut om" in text_of(warning)
    idle(own_house, client, 1, began=12 * 60 + 1)
    assert client.get_partial("/deltakere").status_code == 401


def test_the_user_sees_her_visits_and_ends_the_others(own_house: House) -> None:
    first, second, third = (signed_in(own_house, "siri.vern") for _number in range(3))
    page = first.get("/innlogginger")
    assert text_of(page).count("Begynte") == 3
    assert text_of(page).count("Denne innloggingen") == 1
    idle(own_house, second, 3)
    form = form_in(first.get("/innlogginger"), button="Avslutt alle andre")
    ended = first.submit(form, button="Avslutt alle andre", follow_redirects=True)
    assert "Innloggingene er avsluttet." in text_of(ended)
    for gone in (second, third):
        assert gone.get("/deltakere").headers["Location"].startswith("/logg-inn")
    assert first.get("/deltakere").status_code == 200


def test_nobody_ends_anothers_visit(own_house: House) -> None:
    berit, anne = signed_in(own_house, "berit.bergen"), signed_in(own_house, "anne.tokommuner")
    berit_two = signed_in(own_house, "berit.bergen")
    page = berit.get("/innlogginger")
    handles = [part.split('"')[0] for part in page.text.split('name="innlogging" value="')[1:]]
    token = str(form_in(anne.get("/hjelp"), button="Logg ut").value("csrf_token"))
    anne.post("/innlogginger/avslutt", data={"csrf_token": token, "innlogging": handles[0]})
    assert berit_two.get("/deltakere").status_code == 200
    own = str(form_in(page, button="Logg ut").value("csrf_token"))
    berit.post("/innlogginger/avslutt", data={"csrf_token": own, "innlogging": handles[0]})
    assert berit_two.get("/deltakere").status_code == 303
