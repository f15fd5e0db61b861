"""What all features of the web share: responses, access, CSRF, sessions, errors, the menu."""
