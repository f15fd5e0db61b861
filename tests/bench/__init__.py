"""The benchmark: `make bench`. Its method and results: docs/performance.md."""
