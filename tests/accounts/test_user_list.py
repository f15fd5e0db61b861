"""The list of users: the database sorts and finds by the displayed texts."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from werkzeug.test import TestResponse

from services.core.collation import sort_key
from services.core.db import db, now
from services.demo import USERS
from services.tables.accounts import AccountLink, OutboxMessage, RoleGrant, User
from tests.support.client import tree_of
from tests.support.house import House

PEOPLE = [
    ("Åse Ål", "åse.ål", "z@example.org", "+47 1", ["4601"], "municipal_admin"),
    ("Aase Aal", "aase", "y-y@example.org", "47 1", ["0301", "4601"], "caseworker"),
    ("Ærlig Øst", "ærlig", "æ@example.org", "900 00 000", ["4627", "0301", "4601"], "caseworker"),
    ("Zoë d'Arc", None, "zoe@example.org", "", [], "imdi_reader"),
    ("de la Cruz-Åsen", None, "d_l_c@example.org", "(+47) 55 55 55 55", ["1103"], "caseworker"),
    ("Đorđe 100%", None, "100%@example.org", "5", ["1103", "4601"], "municipal_admin"),
]
SEEN_AS = {"Rolle": 5, "Kommuner": 4, "Navn": 0, "Brukernavn": 1, "E-post": 2, "Jobbtelefon": 3, "Status": 6}


@pytest.fixture(scope="module")
def mixed(own_house: House) -> House:
    """Users with many kinds of letters in every state, including undelivered invitations."""
    late, soon = now() - timedelta(days=30), now() + timedelta(days=3)
    with own_house.app.app_context():
        for place, (name, username, email, phone, numbers, role) in enumerate(PEOPLE):
            grants = [RoleGrant(role=role, municipality_number=number) for number in numbers or [None]]
            user = User(name=name, username=username, email=email, phone=phone, created_at=late, grants=grants)
            user.activated_at = late if username else None
            user.blocked_at = late if username == "aase" else None
            db.session.add(user)
            db.session.flush()
            if not username:
                link = {"token_hash": f"t{place}", "user_id": user.id, "purpose": "invite", "created_at": late}
                db.session.execute(insert(AccountLink).values(expires_at=soon if place % 2 else late, **link))
        for email, failed, due in (("100%@example.org", late, None), ("zoe@example.org", None, late)):
            to = {"user_id": db.session.scalar(select(User.id).where(User.email == email)), "recipient": email}
            said = {"subject": "x", "body": "x", "message_id": email, "attempts": 1, "last_error": "refused"}
            times = {"created_at": late, "expires_at": soon, "failed_at": failed, "next_try_at": due}
            db.session.execute(insert(OutboxMessage).values(**to, **said, **times))
        db.session.commit()
    return own_house


def cells_in(answer: TestResponse) -> list[list[str]]:
    """The texts of each row of the list."""
    tree = tree_of(answer)
    rows = [[cell for cell in row if cell.tag == "td"] for row in tree.elements("tr")]
    return [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in rows if row]


@pytest.mark.parametrize("label", SEEN_AS)
@pytest.mark.parametrize("admin", ["admin.imdi", "admin.bergen"])
def test_each_column_stands_in_norwegian_order(mixed: House, label: str, admin: str) -> None:
    """Then by name, also in descending order."""
    client, column = mixed.client(admin), SEEN_AS[label]
    page = client.get("/brukere?sorter=innlogget")
    as_it_is = label == "Jobbtelefon"
    rising = client.follow(page, label)
    rows = cells_in(rising)
    assert len(rows) == (len(USERS) + len(PEOPLE) if admin == "admin.imdi" else 7)
    by_name = sorted(rows, key=lambda row: sort_key(row[0]))
    assert rows == sorted(by_name, key=lambda row: row[column] if as_it_is else sort_key(row[column]))
    falling = cells_in(client.follow(rising, label))
    assert falling == sorted(by_name, key=lambda row: row[column] if as_it_is else sort_key(row[column]), reverse=True)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ÅSE", ["Aase Aal", "Siri Aasen Lund", "Åse Ål", "de la Cruz-Åsen"]),
        ("ærlig askøy", ["Ærlig Øst"]),
        ("darc", ["Zoë d'Arc"]),
        ("d'arc", ["Zoë d'Arc"]),
        ("cruz-å", ["de la Cruz-Åsen"]),
        ("y-y@example", ["Aase Aal"]),
        ("d_l_c", ["de la Cruz-Åsen"]),
        ("100%", ["Đorđe 100%"]),
        ("_", ["de la Cruz-Åsen"]),
        ("dorde", ["Đorđe 100%"]),
        ("55555555", ["de la Cruz-Åsen"]),
        ("+47 55 55 55 55", ["de la Cruz-Åsen"]),
        ("kommuneadministrator stavanger", ["Đorđe 100%"]),
        ("sperret", ["Aase Aal"]),
        ("utløpt", ["de la Cruz-Åsen"]),
        ("ikke leveres", ["Đorđe 100%"]),
        ("forsinket", ["Zoë d'Arc"]),
        ("å b c d e f g h i j k l m n o p q r s t u v w x y z æ ø", []),
        ("imdi-bruker zoe", ["Zoë d'Arc"]),
    ],
)
def test_a_word_is_found_wherever_one_sees_it(mixed: House, words: str, found: list[str]) -> None:
    client = mixed.client("admin.imdi")
    answer = client.submit(client.get("/brukere"), button="Søk", fill={"Søk etter bruker": words}, partial=True)
    assert sorted(row[0] for row in cells_in(answer)) == sorted(found)
