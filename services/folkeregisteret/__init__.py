"""Folkeregisteret: who a person is. The client, its tokens, and a stand-in server with synthetic persons."""

from services.folkeregisteret.client import FolkeregisteretClient
from services.folkeregisteret.maskinporten import MaskinportenTokens
from services.folkeregisteret.person import PersonRecord
from services.register_errors import AccessDenied, Busy, NotFound, RegisterError, Unavailable, WrongNumber

__all__ = [
    "AccessDenied",
    "Busy",
    "FolkeregisteretClient",
    "MaskinportenTokens",
    "NotFound",
    "PersonRecord",
    "RegisterError",
    "Unavailable",
    "WrongNumber",
]
