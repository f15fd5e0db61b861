"""Stand-ins of the outside registers for development and tests, with synthetic people. The product does not import
them."""
