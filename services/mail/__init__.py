"""E-mail: the outbox and SMTP. The texts of letters belong in `app`."""
