"""Twenty simultaneous wrong guesses, of passwords and of codes, for one user and for many: counted exactly, no more
than the permitted number is checked, nothing fails, and afterwards the right one works."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import delete, update

from services.accounts import throttle
from services.demo import PASSWORD, USERS
from services.tables.accounts import SignInFailure
from tests.support.client import CheckedClient, form_in
from tests.support.databases import DIALECTS, Databases
from tests.support.guessing import number_of, try_to
from tests.support.house import Clock, House, running_house
from tests.support.second_factor import code_of, enrol, give_password, send_code
from tests.support.users import id_of

GUESSES, KARI = 20, "kari.oslo"
ALL = [user.username for user in USERS]
FREE = throttle.PASSWORD.free


@pytest.fixture(scope="module", params=DIALECTS)
def strict(request: pytest.FixtureRequest, databases: Databases, settings: dict[str, str]) -> Iterator[House]:
    """A house that requires the second factor."""
    with running_house(request.param, databases, {**settings, "SECOND_FACTOR": "required"}, participants=0) as made:
        yield made


@pytest.fixture(autouse=True)
def _nothing_counted(request: pytest.FixtureRequest) -> None:
    house = request.getfixturevalue("strict" if "strict" in request.fixturenames else "own_house")
    house.write(delete(SignInFailure))


def at_once(guess: Callable[[int], int]) -> Counter[int]:
    """Run a function in twenty threads at one moment; returns the statuses. An exception in a thread counts as a
    status."""
    begin, heard = threading.Barrier(GUESSES), Counter[int]()

    def one(number: int) -> None:
        begin.wait()
        try:
            heard[guess(number)] += 1
        except Exception:
            heard[0] += 1
            raise

    threads = [threading.Thread(target=one, args=(number,)) for number in range(GUESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return heard


def network(number: int) -> str:
    return f"198.18.{number}.7"


# ---- Passwords ----


def test_wrong_passwords_of_one_user(own_house: House, clock: Clock) -> None:
    """From twenty networks."""
    device = own_house.nobody()
    assert try_to(device, KARI, PASSWORD).status_code == 303
    device.logout()
    clients = [own_house.nobody() for _guess in range(GUESSES)]
    heard = at_once(lambda n: try_to(clients[n], KARI, f"feil {n}", network(n)).status_code)
    assert heard == {422: FREE, 429: GUESSES - FREE}
    assert number_of(own_house, throttle.PASSWORD, KARI) == FREE
    assert sum(number_of(own_house, throttle.NETWORK, f"198.18.{n}.0/24") for n in range(GUESSES)) == FREE
    assert try_to(device, KARI, PASSWORD).status_code == 303, "a device on which the user has signed in"
    assert try_to(own_house.nobody(), KARI, PASSWORD, network(0)).status_code == 429
    clock.wait(1)
    assert try_to(own_house.nobody(), KARI, PASSWORD, network(0)).status_code == 303


def test_wrong_passwords_of_many_users(own_house: House, clock: Clock) -> None:
    """From one network, with its common limit."""
    clients = [own_house.nobody() for _guess in range(GUESSES)]
    names = [[*ALL, "finnes.ikke", "heller.ikke"][n % 9] for n in range(GUESSES)]
    heard = at_once(lambda n: try_to(clients[n], names[n], "feil", network(30)).status_code)
    assert heard == {422: GUESSES}
    assert {name: number_of(own_house, throttle.PASSWORD, name) for name in names} == dict(Counter(names))
    assert number_of(own_house, throttle.NETWORK, "198.18.30.0/24") == GUESSES
    assert try_to(own_house.nobody(), "ida.imdi", PASSWORD, network(30)).status_code == 303
    assert number_of(own_house, throttle.PASSWORD, "ida.imdi") == 0


def test_the_last_guesses_of_a_network(own_house: House, clock: Clock) -> None:
    """Of twenty at once no more are checked than the limit leaves."""
    left, most = 7, throttle.NETWORK.free
    assert try_to(own_house.nobody(), "noen", "feil", network(40)).status_code == 422
    key = own_house.app.extensions["outbox"].vault.digest(throttle.NETWORK.name, "198.18.40.0/24")
    own_house.write(update(SignInFailure).where(SignInFailure.key_hash == key).values(number=most - left))
    clients = [own_house.nobody() for _guess in range(GUESSES)]
    heard = at_once(lambda n: try_to(clients[n], f"bruker.{n}", "feil", network(40)).status_code)
    assert heard == {422: left, 429: GUESSES - left}
    assert number_of(own_house, throttle.NETWORK, "198.18.40.0/24") == most
    assert sum(number_of(own_house, throttle.PASSWORD, f"bruker.{n}") for n in range(GUESSES)) == left
    assert try_to(own_house.nobody(), KARI, PASSWORD, network(41)).status_code == 303
    clock.wait(3601)
    assert try_to(own_house.nobody(), KARI, PASSWORD, network(40)).status_code == 303


# ---- Codes ----


def halfway(house: House, username: str) -> tuple[CheckedClient, Callable[[str], int]]:
    """A client after the password, and a function that sends a code."""
    client = house.nobody()
    page = give_password(client, username)
    assert form_in(page, button="Fortsett")
    return client, lambda code: send_code(client, page, code).status_code


def test_wrong_codes_of_one_user(strict: House, clock: Clock) -> None:
    secret, _codes = enrol(strict, KARI)
    strict.write(delete(SignInFailure))
    senders = [halfway(strict, KARI)[1] for _guess in range(GUESSES)]
    heard = at_once(lambda n: senders[n]("000000"))
    assert heard == {422: FREE, 429: GUESSES - FREE}
    assert number_of(strict, throttle.FACTOR, str(id_of(strict, KARI))) == FREE
    _client, send = halfway(strict, KARI)
    assert send(code_of(secret)) == 429
    clock.wait(1)
    assert send(code_of(secret)) == 303


def test_wrong_codes_of_many_users(strict: House, clock: Clock) -> None:
    secrets = {name: enrol(strict, name)[0] for name in ALL}
    strict.write(delete(SignInFailure))
    names = [ALL[n % len(ALL)] for n in range(GUESSES)]
    senders = [halfway(strict, name)[1] for name in names]
    heard = at_once(lambda n: senders[n]("000000"))
    assert heard == {422: GUESSES}
    for name, wrong in Counter(names).items():
        assert number_of(strict, throttle.FACTOR, str(id_of(strict, name))) == wrong
        assert halfway(strict, name)[1](code_of(secrets[name])) == 303
        assert number_of(strict, throttle.FACTOR, str(id_of(strict, name))) == 0


def test_the_right_code_among_wrong_ones_opens_once(strict: House, clock: Clock) -> None:
    """One of twenty codes is right, and four of them send it."""
    secret, _codes = enrol(strict, KARI)
    strict.write(delete(SignInFailure))
    senders = [halfway(strict, KARI)[1] for _guess in range(GUESSES)]
    right = code_of(secret)
    heard = at_once(lambda n: senders[n](right if n % 5 == 0 else "000000"))
    assert set(heard) <= {303, 422, 429}
    assert heard[303] <= 1, "each code once"
    assert heard[422] <= 2 * FREE
    clock.wait(throttle.FACTOR.longest)
    assert halfway(strict, KARI)[1](code_of(secret, 1)) == 303
