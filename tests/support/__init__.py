"""Helpers of the tests: starting and stopping real parts, and checks of every response."""
