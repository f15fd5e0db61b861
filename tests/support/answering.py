"""A server that sends predetermined bytes."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def serving(talk: Callable[[socket.socket, int], None], requests: list[bytes] | None = None) -> Iterator[str]:
    """A server that reads a request into `requests` and calls `talk` with the connection and the number of earlier
    requests."""
    ended = threading.Event()

    def serve() -> None:
        count = 0
        while True:
            connection, _ = listener.accept()
            with connection:
                if ended.is_set():
                    return
                connection.settimeout(5)
                try:
                    request = connection.recv(65536)
                    if requests is not None:
                        requests.append(request)
                    talk(connection, count)
                except OSError:
                    pass  # the client has disconnected, as it should
            count += 1

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            ended.set()
            socket.create_connection(("127.0.0.1", port)).close()
            thread.join()
