"""The register: people, rules, data, outside systems. Knows nothing of HTTP."""
