"""The benchmark: `make bench`. How it measures, and what it found: docs/performance.md."""
