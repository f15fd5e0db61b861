"""The common part of all features of the web: responses, access, CSRF, sessions, errors, the menu."""
