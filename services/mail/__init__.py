"""E-mail: the outbox and SMTP. What a letter says belongs in `app`."""
