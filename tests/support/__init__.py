"""Helpers of the tests: real parts started and stopped, and checks that every answer goes through."""
