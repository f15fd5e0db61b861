"""Who the viewer is and may see, and what is written down of it: the access log, its seals, hourly limits. HTTP belongs
in `app`."""
