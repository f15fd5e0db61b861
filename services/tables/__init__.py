"""The tables, as classes of one Base. Rules belong in the packages above."""
