"""The WSGI entry: the program with the settings of the environment."""

import gc

from app import create_app

app = create_app()

# What stands from the beginning stays: to look through it for garbage at each full collection takes as long as some
# answers. New garbage is looked for after as many new objects as some requests make.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)
