"""What the register stands on and no other room knows: the database, days, texts, code lists, keys. Knows no table."""
