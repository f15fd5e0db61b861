"""How gunicorn serves the program; it reads this by itself. How many processes and threads stands in its command."""

from typing import Any

worker_class = "gthread"


def post_worker_init(worker: Any) -> None:
    # Not at the top: what the master holds stays as it was when it is told to read the program anew (HUP).
    from app.server import refuse_in_our_words

    refuse_in_our_words(worker)
