"""Liqwatch: Telegram alerts when price nears a dense liquidation zone of a perpetual future."""

__version__ = "0.1.0"
