"""waitress in several processes: `python -m tests.bench.many_waitress PORT PROCESSES THREADS`.

waitress itself has only one. SIGTERM ends them; dead processes are not replaced, and nothing is reloaded.
"""

import os
import signal
import socket
import sys

import waitress

from app.web.responses import MAX_BODY


def _serve(listening: socket.socket, threads: int) -> None:
    from tests.bench.served_alone import application  # in each process by itself, as with the others

    waitress.serve(
        application,
        sockets=[listening],
        threads=threads,
        connection_limit=1000,
        asyncore_use_poll=True,
        max_request_body_size=MAX_BODY,
        max_request_header_size=65_536,
        outbuf_high_watermark=1 << 30,  # a slow reader's response waits in a file, not in a thread
        ident=None,
    )


def main() -> None:
    """Serve until SIGTERM."""
    port, processes, threads = map(int, sys.argv[1:])
    listening = socket.create_server(("127.0.0.1", port), backlog=1024)
    children = []
    for _number in range(processes):
        if not (child := os.fork()):
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            _serve(listening, threads)
            return
        children.append(child)

    def end(*_: object) -> None:
        for child in children:
            os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    listening.close()
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
