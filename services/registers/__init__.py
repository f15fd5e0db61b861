"""Clients of the outside registers over HTTP. They know no tables; storing belongs in the packages above."""
