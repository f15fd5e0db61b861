"""The WSGI entry: the program with the settings of the environment."""

import gc

from app import create_app

app = create_app()

# Objects created at start are permanent: examining them at each full collection takes as long as some responses. New
# garbage is collected after as many new objects as some requests create.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)
