"""The register in a real browser, on its production server."""
