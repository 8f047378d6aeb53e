"""`python -m bot.evaluation`: the evaluation's tables as markdown; progress goes to stderr."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.evaluation import report
from bot.evaluation.cascades import cascade_score
from bot.evaluation.confluence import confluence_samples, confluence_table
from bot.evaluation.evaluate import evaluate, tasks_of
from bot.evaluation.known_markets import NAMES
from bot.evaluation.outlook import outlook_score
from bot.evaluation.recordings import falls_score, histories_of, identities, recorded_score, touch_scores
from bot.liquidation.types import History
from bot.market.columns import RecordingError
from bot.market.recording import Recording

Histories = Mapping[str, History]
"""Bars by symbol."""

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; the exit code."""
    asked = _parser().parse_args(arguments)
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    if asked.cascades:
        sys.stdout.write(_cascades(asked.cascades, asked.workers) + "\n")
        return 0
    if asked.outlook is not None:
        return _of_first_venue(asked.outlook, _outlook)
    if asked.confluence is not None:
        return _of_first_venue(asked.confluence, _confluence)
    parts = ["# Evaluation", "Written by `make evaluate`; the same seeds give the same tables. Bad rows stay."]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        if asked.seeds:
            parts += [_known(asked, days, progress) for days in asked.days]
        if asked.recordings is not None:
            try:
                parts += _recorded(Recording(asked.recordings), asked.workers, progress)
            except RecordingError as error:
                sys.stderr.write(f"{error}\n")
                return 2
    text = "\n\n".join(parts) + "\n"
    if asked.out is None:
        sys.stdout.write(text)
    else:
        asked.out.write_text(text, encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot.evaluation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="markets of each variant; 0: none")
    parser.add_argument("--days", type=int, nargs="+", default=[30], help="lengths of history, a table each")
    parser.add_argument("--profiles", type=int, default=4, help="more markets of each variant for the distance profile")
    parser.add_argument("--variants", nargs="+", default=list(NAMES), choices=list(NAMES), metavar="NAME")
    parser.add_argument("--recordings", type=Path, default=None, help="a folder of real recordings")
    parser.add_argument("--cascades", type=int, default=0, help="only drive so many markets into a cluster")
    parser.add_argument("--outlook", type=Path, default=None, help="only foretell volatility on a folder of recordings")
    parser.add_argument("--confluence", type=Path, default=None, help="only tell what confluence is worth")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=None, help="the file to write (default: print)")
    return parser


def _known(asked: argparse.Namespace, days: int, progress: Progress) -> str:
    tasks = tasks_of(asked.variants, seeds=asked.seeds, days=days, profiles=asked.profiles)
    bar = progress.add_task(f"markets of {days} days", total=len(tasks))
    scores = evaluate(
        asked.variants,
        seeds=asked.seeds,
        days=days,
        profiles=asked.profiles,
        workers=asked.workers,
        told=lambda: progress.advance(bar),
    )
    return report.known_tables(scores)


def _cascades(seeds: int, workers: int) -> str:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress, get_context("spawn").Pool(workers) as pool:
        bar = progress.add_task("cascades", total=seeds)
        scores = []
        for score in pool.imap(cascade_score, range(seeds)):
            progress.advance(bar)
            if score is not None:
                scores.append(score)
    return report.cascade_table(scores)


def _of_first_venue(folder: Path, table: Callable[[Histories], str]) -> int:
    """Print what a table tells of the histories of a recording's first exchange."""
    try:
        recording = Recording(folder)
        told = table(histories_of(recording, recording.exchanges[0]))
    except RecordingError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{told}\n")
    return 0


def _outlook(histories: Histories) -> str:
    outlook = outlook_score(histories)
    return "too few bars" if outlook is None else report.outlook_table(outlook)


def _confluence(histories: Histories) -> str:
    return confluence_table(confluence_samples(histories))


def _recorded(recording: Recording, workers: int, progress: Progress) -> list[str]:
    exchange = recording.exchanges[0]
    histories = histories_of(recording, exchange)
    followed = [(symbol, one) for symbol, one in histories.items() if recording.open_interest(exchange, symbol)]
    bar = progress.add_task("real recordings", total=2 * len(followed) + 3)
    parts = [report.touch_table(touch_scores(list(histories.values())))]
    progress.advance(bar)
    with get_context("spawn").Pool(workers) as pool:
        lives = [pool.apply_async(identities, one) for one in followed]
        falls = [pool.apply_async(falls_score, one) for one in followed]
        found, foreseen = [], []
        for life in lives:
            found.append(life.get())
            progress.advance(bar)
        for fall in falls:
            foreseen.append(fall.get())
            progress.advance(bar)
    parts += [report.identity_table(found), report.falls_table([one for one in foreseen if one is not None])]
    outlook = outlook_score(histories)
    progress.advance(bar)
    parts += [] if outlook is None else [report.outlook_table(outlook)]
    score = recorded_score(recording, exchange, histories)
    progress.advance(bar)
    return parts if score is None else [*parts, report.score_table(score)]


if __name__ == "__main__":
    raise SystemExit(main())
