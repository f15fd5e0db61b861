"""The commands of `flask --app wsgi`, a module for each group."""
