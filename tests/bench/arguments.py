"""Common functions of the benchmarks' commands."""

import argparse


def words(known: tuple[str, ...], given: str) -> list[str]:
    """Parse words separated by commas, each of the known ones."""
    found = given.split(",")
    if unknown := set(found) - set(known):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: choose from {', '.join(known)}")
    return found
