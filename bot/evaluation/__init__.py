"""How good the map is, measured where the truth is known and where it is not: `python -m bot.evaluation`."""
