"""Pages about the register as a whole: help, and the access log."""

from app.oversight import log  # noqa: F401 - its views hang on it
from app.oversight.views import oversight

__all__ = ["oversight"]
