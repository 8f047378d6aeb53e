"""The commands for whoever keeps the bot running: its checks, its database, and what waits to be sent."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot.console.options import Json, command_settings, print_line, print_lines
from bot.progress import busy, counting

app = typer.Typer()

outbox = typer.Typer(help="What waits to be sent and what could not be; works beside a running bot.")
app.add_typer(outbox, name="outbox")

MessageIds = Annotated[list[int], typer.Argument(help="Ids as `liqwatch outbox` lists them.")]
MessageIdsOrNone = Annotated[list[int] | None, typer.Argument(help="Ids as `liqwatch outbox` lists them.")]


@app.command()
def doctor() -> None:
    """Check settings, token, database and exchanges."""
    from bot.doctor import examine

    raise typer.Exit(asyncio.run(examine(command_settings(quiet=True), print_line=print_line)))


@app.command()
def health() -> None:
    """Ask the bot that runs here how it does, by METRICS_PORT: cheap, for a container's health check."""
    from bot.health_client import ask_health

    troubles = ask_health(command_settings(quiet=True))
    print_lines(troubles or ["all is well"])
    raise typer.Exit(1 if troubles else 0)


@app.command()
def migrate(
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="URL", help="Move this SQLite database, such as sqlite:///liqwatch.db."),
    ] = None,
) -> None:
    """Bring the database to this version's schema; with --from, move a SQLite database into an empty PostgreSQL."""
    from bot.migrate_command import migrate_database, move_database

    settings = command_settings(quiet=True)
    if source is None:
        print_line(asyncio.run(migrate_database(settings)))
        return
    with counting() as progress:
        lines = move_database(settings, source, progress=progress)
    print_lines(lines)


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="A new file.")]) -> None:
    """Copy the database, also while the bot runs, and check the copy."""
    from bot.backup_command import back_up_database

    settings = command_settings(quiet=True)
    with busy("Copying"):
        lines = back_up_database(settings, file)
    print_lines(lines)


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="A file that `liqwatch backup` wrote.")]) -> None:
    """Put a backup in the database's place; the bot must not run. The old database is kept beside it."""
    from bot.backup_command import restore_database

    settings = command_settings(quiet=True)
    with busy("Restoring"):
        lines = restore_database(settings, file)
    print_lines(lines)


@outbox.callback(invoke_without_command=True)
def outbox_summary(context: typer.Context) -> None:
    """What waits to be sent and what could not be, with the reason; works beside a running bot."""
    if context.invoked_subcommand is None:
        outbox_list()


@outbox.command("list")
def outbox_list(
    state: Annotated[str | None, typer.Option(help="ready, sending, ambiguous, sent or dead.")] = None,
    chat: Annotated[int | None, typer.Option(help="Messages to this chat only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many.")] = 50,
    json: Json = False,
) -> None:
    """List messages that are not delivered, newest first."""
    from bot.outbox_command import list_messages

    print_lines(
        asyncio.run(list_messages(command_settings(quiet=True), state=state, chat=chat, limit=limit, json_=json))
    )


@outbox.command("show")
def outbox_show(ids: MessageIds, json: Json = False) -> None:
    """Show everything about messages."""
    from bot.outbox_command import show_messages

    print_lines(asyncio.run(show_messages(command_settings(quiet=True), ids, json_=json)))


@outbox.command("requeue")
def outbox_requeue(
    ids: MessageIdsOrNone = None,
    every: Annotated[bool, typer.Option("--all", help="Every dead message.")] = False,
) -> None:
    """Queue dead messages again; one that may have arrived is sent silently and marked as a repeat."""
    from bot.outbox_command import requeue_messages

    print_lines(asyncio.run(requeue_messages(command_settings(quiet=True), ids or [], every=every)))


@outbox.command("drop")
def outbox_drop(ids: MessageIds) -> None:
    """End messages that wait, unsent."""
    from bot.outbox_command import drop_messages

    print_lines(asyncio.run(drop_messages(command_settings(quiet=True), ids)))


@outbox.command("doubt")
def outbox_doubt() -> None:
    """After pg_restore: what waited in the copy may have been sent since, so it goes out as a silent repeat."""
    from bot.outbox_command import doubt_messages

    print_lines(asyncio.run(doubt_messages(command_settings(quiet=True))))
