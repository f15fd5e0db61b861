"""The outside registers as clients over HTTP. They know no table; what is kept of their answers belongs in the rooms
above."""
