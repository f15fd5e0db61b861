"""Connecting Folkeregisteret and PAD by the settings."""

from itertools import cycle, islice
from random import randrange

from flask import current_app

from app.settings.config import Settings
from services.participation.find import is_known
from services.registers.clients import Registers
from services.registers.folkeregisteret import FolkeregisteretClient, MaskinportenTokens
from services.registers.pad import PadClient
from services.standins.keys import load_or_create_key
from services.standins.population import people


def connect_registers(settings: Settings) -> Registers:
    """Create the clients; in development the key for Maskinporten is created if missing."""
    key_file = settings.maskinporten_key_file
    key = key_file.read_bytes() if settings.in_production else load_or_create_key(key_file)
    tokens = MaskinportenTokens(
        base_url=settings.maskinporten_url,
        client_id=settings.maskinporten_client_id,
        key_pem=key,
        key_id=settings.maskinporten_key_id,
    )
    return Registers(
        folkeregisteret=FolkeregisteretClient(base_url=settings.freg_url, token_source=tokens),
        pad=PadClient(base_url=settings.pad_url),
        accepts=settings.accepts,
        lookups_per_hour=settings.lookups_per_hour,
    )


def registers() -> Registers:
    """The register clients of the running program."""
    found: Registers = current_app.extensions["registers"]
    return found


def suggest_number() -> str:
    """In development: the number of a synthetic person who is not registered; else ''."""
    settings: Settings = current_app.config["SETTINGS"]
    if settings.environment != "development" or not settings.uses_standins:
        return ""
    ordinary = [person for person in people() if "ordinary" in person.kinds]
    start = randrange(len(ordinary))
    candidates = islice(cycle(ordinary), start, start + 200)
    return next((person.number for person in candidates if not is_known(person.number)), "")
