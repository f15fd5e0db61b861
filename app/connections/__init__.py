"""Connections to the outside systems by the settings: Folkeregisteret, PAD, the mail server."""
