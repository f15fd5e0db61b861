"""The outside systems as the settings name them: Folkeregisteret, PAD, the mail server."""
