"""How gunicorn serves the program; it reads this by itself. How many processes and threads stands in its command.

Nothing of the program is imported at the top: what the master holds stays as it was when it is told to read the program
anew (HUP).
"""

from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker


class FairWorker(ThreadWorker):
    """Takes no more connections while all its threads have something to answer, so that other processes take them.

    gunicorn's own takes whatever comes. Of a burst one process may then get all, and keeps them as long as they are
    kept alive, while the others have nothing to do.
    """

    _busy = 0  # requests that wait for a thread or have one; counted by the main thread alone

    def enqueue_req(self, conn: TConn) -> None:
        """Let a thread answer what has come on a connection."""
        self._busy += 1
        super().enqueue_req(conn)
        self.set_accept_enabled(self._accepting)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        """A thread is done with it; the main thread hears of it and looks then whether it may take another."""
        self._busy -= 1
        super().finish_request(conn, fs)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Take connections from now on, or none; asked in each turn of the main thread."""
        super().set_accept_enabled(enabled and self._busy < self.cfg.threads)


worker_class = FairWorker

# Nothing of a request is told by a header beside its own line. By itself gunicorn believes what comes from this
# machine, and so from any proxy on it that passes its users' headers on: path and root of the program, and https.
# Whom to believe says TRUSTED_PROXIES, and the program reads it.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}


def post_worker_init(worker: Any) -> None:
    from app.server import refuse_in_our_words

    refuse_in_our_words(worker)
