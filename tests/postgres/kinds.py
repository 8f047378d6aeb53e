"""For tests about one kind of database: marks that keep the fixtures `database_url` and `bare_database_url` to it."""

import pytest

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
bare_sqlite_only = pytest.mark.parametrize("bare_database_url", ["sqlite"], indirect=True)
bare_postgresql_only = pytest.mark.parametrize("bare_database_url", ["postgresql"], indirect=True)
