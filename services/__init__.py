"""The register: people, rules, data, outside systems. Does not depend on HTTP."""
