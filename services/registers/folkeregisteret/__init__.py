"""Folkeregisteret: the national population register. The client and its tokens."""

from services.registers.errors import AccessDenied, Busy, NotFound, RegisterError, Unavailable, WrongNumber
from services.registers.folkeregisteret.client import FolkeregisteretClient
from services.registers.folkeregisteret.maskinporten import MaskinportenTokens
from services.registers.folkeregisteret.person import PersonRecord

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
