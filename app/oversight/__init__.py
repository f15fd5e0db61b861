"""What concerns the register as a whole: the help page, and the access log."""

from app.oversight import log  # noqa: F401 - its views hang on it
from app.oversight.views import oversight

__all__ = ["oversight"]
