"""What only PostgreSQL has: a server that goes and comes back, passwords, plans, several writers at once."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager

import psycopg
import pytest
from sqlalchemy import Connection, make_url, text

from bot.logs import JsonFormatter, TextFormatter
from bot.storage.access import Access
from bot.storage.database import Database
from bot.storage.engine import make_engine, make_migration_engine
from bot.storage.errors import CannotOpenError, RuleLimitError, StorageError
from bot.storage.outbox import DUE_ROWS
from bot.storage.postgresql import check_server
from tests.postgres.databases import PostgresServer
from tests.postgres.server import GUARDED
from tests.unit.storage.test_series import MIDNIGHT, bars
from tests.unit.storage.values import BTC, NOW, row, rule


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.ready() as url:
        yield url


@asynccontextmanager
async def access_to(url: str, *, longest_silence_s: float) -> AsyncIterator[Access]:
    parsed = make_url(url)
    access = Access(
        make_engine(parsed, writes=True),
        make_engine(parsed, writes=False),
        where="there",
        longest_silence_s=longest_silence_s,
    )
    try:
        yield access
    finally:
        await access.close()


class TestAServerThatGoes:
    @pytest.fixture
    def own(self) -> Iterator[PostgresServer]:
        server = PostgresServer.start()
        yield server
        server.stop()

    async def test_what_is_asked_while_it_is_away_fails_is_said_once_and_goes_on_afterwards(
        self, own: PostgresServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        with own.bare() as url:
            async with await Database.open(url) as db:
                await db.outbox.add([row("before")])
                own.halt()
                told = []
                with caplog.at_level(logging.WARNING):
                    for _ in range(3):
                        with pytest.raises(CannotOpenError, match="cannot be reached") as refused:
                            await db.outbox.add([row("meanwhile")])
                        told.append(refused.value.told)
                        with pytest.raises(CannotOpenError):
                            await db.outbox.counts()
                assert told == [False, True, True], "whoever asks at each tick knows that it is said"
                assert in_trouble(db)
                own.resume()
                with caplog.at_level(logging.WARNING):
                    assert await db.outbox.add([row("after")]) == 1
                assert not in_trouble(db)
                assert await db.outbox.counts() == {"ready": 2}
        [begins, ends] = caplog.messages
        assert begins.startswith("nothing can be stored now: The database ")
        assert ends == f"the database {url.partition('?')[0]} answers again"

    async def test_a_restart_between_two_transactions_is_not_noticed(self, own: PostgresServer) -> None:
        with own.bare() as url:
            async with await Database.open(url) as db:
                await db.outbox.add([row("before")])
                assert await db.outbox.counts() == {"ready": 1}
                own.halt()
                own.resume()
                assert await db.outbox.add([row("after")]) == 1
                assert await db.outbox.counts() == {"ready": 2}


def in_trouble(db: Database) -> bool:
    return db.trouble is not None


async def test_work_that_is_cut_off_in_its_middle_is_done_again_from_its_beginning(
    postgres: PostgresServer, url: str
) -> None:
    async with access_to(url, longest_silence_s=60) as access:
        tries = []

        def work(connection: Connection) -> int:
            tries.append(connection)
            connection.execute(text("INSERT INTO kv VALUES ('a', '1')"))
            if len(tries) == 1:
                postgres.run_text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in%'", url
                )
            return int(connection.execute(text("SELECT count(*) FROM kv")).scalar_one())

        assert await access.write(work) == 1
        assert len(tries) == 2


async def test_a_server_that_takes_a_request_and_never_answers_is_left_and_asked_anew(url: str) -> None:
    async with access_to(url, longest_silence_s=3.0) as access:
        stopped: list[int] = []

        def work(connection: Connection) -> int:
            if not stopped:
                stopped.append(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
                os.kill(stopped[0], signal.SIGSTOP)
            return int(connection.execute(text("SELECT 7")).scalar_one())

        try:
            assert await access.read(work) == 7
        finally:
            # It finds its connection gone, and ends.
            os.kill(stopped[0], signal.SIGCONT)


class TestSecrets:
    @pytest.fixture
    def guarded(self, postgres: PostgresServer, url: str) -> Iterator[str]:
        """The address of a role whose password is `right-secret`, with one that is not."""
        postgres.run_text("CREATE ROLE guarded LOGIN PASSWORD 'right-secret'", url)
        yield url.replace("postgres@", f"{GUARDED}:wrong-secret@")
        postgres.run_text("DROP ROLE guarded", url)

    async def test_a_wrong_password_is_told_and_stands_in_no_message_and_no_log(self, guarded: str) -> None:
        with pytest.raises(CannotOpenError, match='password authentication failed for user "guarded"') as refused:
            await Database.open(guarded)
        assert not any("secret" in said for said in logged(refused.value))

    async def test_a_right_one_stands_in_nothing_that_is_refused_later(self, guarded: str) -> None:
        with pytest.raises(StorageError, match="permission denied for table alembic_version") as refused:
            await Database.beside(guarded.replace("wrong", "right"))
        assert not any("secret" in said for said in logged(refused.value))

    @pytest.mark.parametrize(
        "address",
        [
            "postgresql://u:wrong-secret@127.0.0.1:1/name",
            "postgresql://u:wrong-secret@127.0.0.1:1/name?sslmode=wrong",
            "postgresql://u@127.0.0.1:1/name?password=wrong-secret",
            "postgresql://u:wrong-secret@127.0.0.1:x/name",
            "postgresql://u:wr@ng-secret@127.0.0.1/name",
            "postgresql://u:wrong-secret@127.0.0.1:1/name?wrong=option",
        ],
    )
    async def test_an_address_that_leads_nowhere_is_told_without_its_password(self, address: str) -> None:
        with pytest.raises(StorageError) as refused:
            await Database.open(address)
        assert "\n" not in str(refused.value)
        assert not any("secret" in said for said in logged(refused.value))

    async def test_a_refused_row_is_quoted_nowhere(self, url: str) -> None:
        # A trace shows lines of this file too.
        said = {"payload": "sec" + "ret"}
        async with access_to(url, longest_silence_s=60) as access:
            broken = text(
                "INSERT INTO outbox (dedupe_key, chat, payload, state, due_ms, created_ms)"
                " VALUES ('k', 1, :payload, 'nonsense', 1, 1)"
            )
            with pytest.raises(StorageError, match="violates check constraint") as refused:
                await access.write(lambda connection: connection.execute(broken, said))
        assert not any("secret" in said for said in logged(refused.value))


def logged(error: BaseException) -> list[str]:
    """An error as it is told, and as either log tells it with all that led to it."""
    record = logging.LogRecord("bot", logging.ERROR, "x.py", 1, "failed", (), (type(error), error, error.__traceback__))
    return [str(error), *(formatter.format(record) for formatter in (TextFormatter(), JsonFormatter()))]


def test_a_server_that_is_too_old_is_refused(url: str) -> None:
    engine = make_migration_engine(make_url(url))
    with engine.begin() as connection:
        connection.dialect.server_version_info = (13, 4)
        with pytest.raises(CannotOpenError, match=r"is on PostgreSQL 13\.4: Liqwatch needs 14 or newer"):
            check_server(connection, "there")
    engine.dispose()


async def test_a_database_that_cannot_hold_every_text_is_refused(postgres: PostgresServer) -> None:
    said = "holds text as LATIN1: make one with CREATE DATABASE"
    with (
        postgres.bare("TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'") as url,
        pytest.raises(CannotOpenError, match=said),
    ):
        await Database.open(url)


async def test_two_that_start_at_once_make_one_schema(postgres: PostgresServer) -> None:
    with postgres.bare() as url:
        for db in await asyncio.gather(*(Database.open(url) for _ in range(3))):
            assert await db.outbox.counts() == {}
            await db.close()


async def test_keys_are_ordered_by_their_bytes_whatever_the_locale(postgres: PostgresServer) -> None:
    with ExitStack() as closing:
        try:
            url = closing.enter_context(postgres.bare("TEMPLATE template0 ICU_LOCALE 'en-US' LOCALE_PROVIDER icu"))
        except psycopg.Error as reason:
            pytest.skip(f"this server knows no order but that of bytes: {reason}")
        async with await Database.open(url) as db:
            await db.rules.add(rule())
            draft = await db.broadcasts.draft("hello", now_ms=NOW)
            await db.broadcasts.confirm(draft.id)
            await db.broadcasts.queue_next(1, now_ms=NOW)
            told = await db.broadcasts.newest()
            assert told is not None
            assert told.waiting == 1


class TestSeveralWriters:
    async def test_two_senders_claim_each_message_once_and_each_chat_in_order(self, url: str) -> None:
        async with await Database.open(url) as one, await Database.open(url) as other:
            chats = range(40)
            await one.outbox.add([row(f"{chat}:{number}", chat) for number in range(3) for chat in chats])
            sent: list[str] = []

            async def send(db: Database, name: str) -> None:
                while set(await db.outbox.counts()) != {"sent"}:
                    for claimed in await db.outbox.claim(NOW, name, 60_000, 5):
                        begun = await db.outbox.begin(claimed, now_ms=NOW, lease_ms=60_000)
                        assert begun is not None
                        sent.append(begun.dedupe_key)
                        assert await db.outbox.sent(begun, message_id=1, now_ms=NOW)

            await asyncio.gather(send(one, "one"), send(other, "other"))
        assert len(sent) == len(set(sent)) == 120
        for chat in chats:
            assert [key for key in sent if key.startswith(f"{chat}:")] == [f"{chat}:{number}" for number in range(3)]

    async def test_bars_of_one_day_that_come_to_several_at_once_are_all_kept(self, url: str) -> None:
        async with await Database.open(url) as one, await Database.open(url) as other:
            parts = [bars(number, 1) for number in range(24)]
            await asyncio.gather(
                *(db.series.save_bars({BTC: part}) for part, db in zip(parts, (one, other) * 12, strict=True))
            )
            kept = await one.series.load_bars(BTC, start_ms=0, end_ms=2 * MIDNIGHT)
        assert len(kept) == 24

    async def test_the_same_rule_asked_for_twice_at_once_is_one_and_the_limit_holds(self, url: str) -> None:
        async with await Database.open(url) as one, await Database.open(url) as other:
            made = await asyncio.gather(*(db.rules.add(rule(chat=5)) for db in (one, other) * 3))
            assert len({kept.id for kept, _ in made}) == 1
            wanted = [rule(chat=6, threshold_pct=float(number), market=BTC) for number in range(1, 9)]
            answers = await asyncio.gather(
                *(db.rules.add(asked, limit=3) for asked, db in zip(wanted, (one, other) * 4, strict=True)),
                return_exceptions=True,
            )
            assert sum(isinstance(answer, RuleLimitError) for answer in answers) == 5
            assert len(await one.rules.of_chat(6)) == 3


async def test_the_claim_is_served_by_partial_indexes_however_many_messages_were_ever_sent(
    postgres: PostgresServer, url: str
) -> None:
    postgres.run_text(
        "INSERT INTO outbox (dedupe_key, chat, payload, due_ms, created_ms, state, done_ms)"
        " SELECT 'k' || i, i % 1000, '{}', i, i, CASE WHEN i % 100 = 0 THEN 'ready' ELSE 'sent' END,"
        " CASE WHEN i % 100 = 0 THEN NULL ELSE i END FROM generate_series(1, 30000) i",
        url,
    )
    postgres.run_text("ANALYZE outbox", url)
    engine = make_migration_engine(make_url(url))
    with engine.begin() as connection:
        compiled = DUE_ROWS.compile(dialect=connection.dialect)
        values = {**compiled.params, "now_ms": NOW, "limit": 25}
        plan = list(connection.exec_driver_sql(f"EXPLAIN {compiled}", values).scalars())
    engine.dispose()
    assert not any("Seq Scan" in line for line in plan), plan
    for name in ("ix_outbox_due", "uq_outbox_in_flight"):
        assert any(name in line for line in plan), plan
