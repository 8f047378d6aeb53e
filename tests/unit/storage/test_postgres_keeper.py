"""The server that tests start ends with them, however they end, and leaves nothing behind."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.postgres.databases import PostgresServer
from tests.postgres.server import NoServerError, find_binary

_OWNER = """
from tests.postgres.databases import PostgresServer
server = PostgresServer.start()
print(server.folder, flush=True)
input()
"""


@pytest.mark.usefixtures("postgres")
def test_a_server_whose_owner_is_killed_ends_and_its_folder_is_gone() -> None:
    owner = subprocess.Popen([sys.executable, "-c", _OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    folder = Path(owner.stdout.readline().strip())
    server = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    assert Path(f"/proc/{server}").exists()
    owner.kill()
    owner.communicate()
    patience_s = time.monotonic() + 60
    while (folder.exists() or Path(f"/proc/{server}").exists()) and time.monotonic() < patience_s:
        time.sleep(0.02)
    assert not folder.exists()
    assert not Path(f"/proc/{server}").exists()


def test_a_program_that_is_not_installed_is_named() -> None:
    with pytest.raises(NoServerError, match="PostgreSQL is not installed: no postgres-of-nobody on PATH nor in"):
        find_binary("postgres-of-nobody")


def test_what_one_test_stored_the_next_does_not_find(postgres: PostgresServer) -> None:
    with postgres.ready() as first:
        postgres.run_text("INSERT INTO kv VALUES ('a', '1')", first)
        postgres.run_text("SELECT nextval('outbox_id_seq')", first)
    with postgres.ready() as second:
        assert second == first
        postgres.run_text("INSERT INTO kv VALUES ('a', '1')", second)
        postgres.run_text("SELECT 1 / (nextval('outbox_id_seq') = 1)::int", second)
