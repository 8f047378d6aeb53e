"""Many processes on one PostgreSQL, killed at random: `make scale-test`."""
