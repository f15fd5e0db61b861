"""Users: signing in, invitations, passwords, second factor, identity providers, administration."""
