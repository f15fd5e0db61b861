"""The viewer's rights, the access log, its seals, and hourly limits. HTTP belongs in `app`."""
