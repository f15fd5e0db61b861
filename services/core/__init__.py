"""What all other packages build on: the database, days, texts, code lists, encryption. Knows no tables."""
