"""Liqwatch: Telegram alerts when price nears a dense liquidation zone of a perpetual future."""

import os

__version__ = "0.1.0"

# Before numpy is loaded. The matrices here are small: threads of its linear algebra would only spin on each other's cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
