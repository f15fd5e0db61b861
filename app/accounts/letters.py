"""The texts of e-mails, in bokmål and in nynorsk in the same message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app, render_template

from app.settings.config import NoPublicUrl
from services.accounts.invitations import Letters
from services.mail.smtp import Letter

if TYPE_CHECKING:
    from services.tables.accounts import User

HELP_ADDRESS = "jobbsjansen.palogging@imdi.no"


@dataclass(frozen=True)
class _Version:
    """The letter in one language."""

    language: str
    greeting: str
    paragraphs: tuple[str, ...]
    closing: str


def _letter(subject: str, bokmal: tuple[str, ...], nynorsk: tuple[str, ...], link: str = "") -> Letter:
    # The greeting contains no typed text, such as a name chosen by an inviting user.
    versions = (
        _Version("nb", "Hei!", bokmal, f"Trenger du hjelp til innlogging? Skriv til {HELP_ADDRESS}."),
        _Version("nn", "Hei!", nynorsk, f"Treng du hjelp til innlogging? Skriv til {HELP_ADDRESS}."),
    )
    return Letter(
        subject=subject,
        text=render_template("accounts/letter.txt", versions=versions, link=link),
        html=render_template("accounts/letter.html", subject=subject, versions=versions, link=link),
    )


def _address(endpoint: str, **values: str) -> str:
    """The full address of a page. It begins with PUBLIC_URL: the host in a request is not trusted."""
    path = current_app.url_map.bind("localhost").build(endpoint, values)
    base = current_app.config["SETTINGS"].public_url
    if not base:
        raise NoPublicUrl
    return f"{base}{path}"


def invitation(_user: User, token: str) -> Letter:
    """The letter with an invitation."""
    return _letter(
        "Invitasjon til Jobbsjanseregisteret",
        (
            "Du er invitert til Jobbsjanseregisteret. Åpne lenken under, og lag brukernavn og passord.",
            "Lenken virker én gang, og i 72 timer. Er den for gammel, kan du be om en ny på siden den åpner.",
        ),
        (
            "Du er invitert til Jobbsjanseregisteret. Opne lenkja under, og lag brukarnamn og passord.",
            "Lenkja verkar éin gong, og i 72 timar. Er ho for gammal, kan du be om ei ny på sida ho opnar.",
        ),
        _address("accounts.invitation", token=token),
    )


def known(_user: User) -> Letter:
    """The letter to an existing user who has been given another role."""
    return _letter(
        "Ny tilgang i Jobbsjanseregisteret",
        ("Du har fått en ny tilgang i Jobbsjanseregisteret. Logg inn som du pleier.",),
        ("Du har fått ein ny tilgang i Jobbsjanseregisteret. Logg inn som du pleier.",),
        _address("accounts.sign_in"),
    )


INVITING = Letters(invitation=invitation, known=known)


def reset(user: User, token: str) -> Letter:
    """The letter with a link to a new password."""
    return _letter(
        "Nytt passord i Jobbsjanseregisteret",
        (
            f"Noen, trolig du, har bedt om nytt passord for brukeren {user.username}. Åpne lenken under, og velg det.",
            "Lenken virker én gang, og i 72 timer. Har du ikke bedt om den, trenger du ikke gjøre noe.",
        ),
        (
            f"Nokon, truleg du, har bede om nytt passord for brukaren {user.username}. Opne lenkja under, og vel det.",
            "Lenkja verkar éin gong, og i 72 timar. Har du ikkje bede om ho, treng du ikkje gjere noko.",
        ),
        _address("accounts.reset", token=token),
    )


def password_changed(_user: User) -> Letter:
    """The letter after the password was changed."""
    return _letter(
        "Passordet i Jobbsjanseregisteret er endret",
        (
            "Passordet ditt er endret, og du er logget ut alle andre steder. "
            "Innlogging med andre tjenester er koblet fra. Var det ikke deg, ta kontakt med en gang.",
        ),
        (
            "Passordet ditt er endra, og du er logga ut alle andre stader. "
            "Innlogging med andre tenester er kopla frå. Var det ikkje deg, ta kontakt med ein gong.",
        ),
    )


def moved(_user: User) -> Letter:
    """The letter to the old address when the e-mail address changes."""
    return _letter(
        "E-postadressen i Jobbsjanseregisteret er endret",
        ("Brukeren din har fått en annen e-postadresse. Er det feil, ta kontakt med en gang.",),
        ("Brukaren din har fått ei anna e-postadresse. Er det feil, ta kontakt med ein gong.",),
    )


def factor_reset(_user: User) -> Letter:
    """The letter after an administrator has reset the second factor."""
    return _letter(
        "Ny kode-app i Jobbsjanseregisteret",
        (
            "Engangskodene dine er nullstilt. Neste gang du logger inn, setter du opp kode-appen på nytt.",
            "Har du ikke bedt om det, ta kontakt med en gang.",
        ),
        (
            "Eingongskodane dine er nullstilte. Neste gong du loggar inn, set du opp kode-appen på nytt.",
            "Har du ikkje bede om det, ta kontakt med ein gong.",
        ),
    )


def tied(_user: User) -> Letter:
    """The letter after the user has connected an identity provider."""
    return _letter(
        "Ny innloggingsmåte i Jobbsjanseregisteret",
        ("Brukeren din har fått en innloggingsmåte til. Du ser den under «Min bruker». Var det ikke deg, si ifra.",),
        ("Brukaren din har fått ein innloggingsmåte til. Du ser han under «Min bruker». Var det ikkje deg, si ifrå.",),
    )


def many_wrong(_user: User) -> Letter:
    """The letter after many wrong passwords or codes."""
    return _letter(
        "Mange mislykkede innlogginger i Jobbsjanseregisteret",
        (
            "Noen har skrevet feil passord eller engangskode for brukeren din mange ganger. Nye forsøk må vente litt.",
            "På en maskin der du har logget inn før, kan du logge inn som vanlig. Var det ikke deg, ta kontakt.",
        ),
        (
            "Nokon har skrive feil passord eller eingongskode for brukaren din mange gonger. Nye forsøk må vente litt.",
            "På ei maskin der du har logga inn før, kan du logge inn som vanleg. Var det ikkje deg, ta kontakt.",
        ),
    )


def untied(_user: User) -> Letter:
    """The letter after an administrator has removed an identity of the user."""
    return _letter(
        "En innloggingsmåte i Jobbsjanseregisteret er fjernet",
        ("En innloggingsmåte er fjernet fra brukeren din. Har du ikke passord, velg «Glemt passordet?» for å få et.",),
        ("Ein innloggingsmåte er fjerna frå brukaren din. Har du ikkje passord, vel «Glemt passordet?» for å få eit.",),
    )
