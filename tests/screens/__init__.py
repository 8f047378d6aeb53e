"""Every screen of a scripted day, drawn as on a phone: `make screens`."""
