"""Running both stand-ins: in the background of a test, or for `flask standins`, until shutdown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from services.core.shutdown import told_to_end
from services.standins.folkeregisteret import Client, FolkeregisteretStandin
from services.standins.pad import PadStandin
from services.standins.population import SEED, people
from services.standins.server import StandinServer

Address = tuple[str, int]
ANY_PORT: Address = ("127.0.0.1", 0)


@dataclass(frozen=True)
class Standins:
    """Both servers, running. Also a context manager that stops them."""

    freg: StandinServer
    pad: StandinServer

    def stop(self) -> None:
        """Stop both servers and free their ports."""
        self.freg.stop()
        self.pad.stop()

    def __enter__(self) -> Standins:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_standins(
    *,
    client_id: str,
    key_id: str,
    public_key_pem: bytes,
    freg_address: Address = ANY_PORT,
    pad_address: Address = ANY_PORT,
    seed: int = SEED,
) -> Standins:
    """Start both servers, each in a thread of its own. Addresses are host and port; port 0 takes a free one.

    The client is the one whose token requests Folkeregisteret's stand-in accepts.
    """
    client = Client(client_id, key_id, public_key_pem)
    freg = StandinServer(FolkeregisteretStandin(client, seed), freg_address)
    try:
        return Standins(freg, StandinServer(PadStandin(seed), pad_address))
    except BaseException:
        freg.stop()
        raise


def serve_standins(
    *,
    client_id: str,
    key_id: str,
    public_key_pem: bytes,
    freg_address: Address,
    pad_address: Address,
    seed: int = SEED,
    started: Callable[[Standins], None] = lambda standins: None,
) -> None:
    """Serve both until SIGTERM or SIGINT. `started` is called once both listen. In the main thread only."""
    with (
        told_to_end() as told,
        start_standins(
            client_id=client_id,
            key_id=key_id,
            public_key_pem=public_key_pem,
            freg_address=freg_address,
            pad_address=pad_address,
            seed=seed,
        ) as standins,
    ):
        started(standins)
        people(seed)  # so that the first request need not wait for it
        told(None)
