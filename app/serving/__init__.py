"""How the program is served: granian, the adapter before the program, static files."""
