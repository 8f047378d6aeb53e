"""The commands of `liqwatch`, by what they are about."""
