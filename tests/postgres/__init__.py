"""A real PostgreSQL for tests: a server of their own, and databases in it that cost milliseconds."""
