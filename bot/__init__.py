"""Liqwatch: Telegram alerts when price nears a dense liquidation zone of a perpetual future."""

import os

__version__ = "0.1.0"

# Before numpy is loaded: the matrices here are small, and threads of its linear algebra would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
