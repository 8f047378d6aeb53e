"""The evaluation as markdown: one table of rank correlations, one of means, the promises kept or not, real markets."""

from collections.abc import Iterable, Sequence

import numpy as np

from bot.evaluation.cascades import CascadeScore
from bot.evaluation.estimators import DISTANCE, LEARNED, ORACLE
from bot.evaluation.evaluate import ROWS, Scores
from bot.evaluation.known_markets import NAMES
from bot.evaluation.outlook import Outlook
from bot.evaluation.recordings import FallsScore, Identities, TouchScore
from bot.liquidation.score import Score

PRIOR = "prior"
MOST_BELOW_ORACLE, LEAST_ABOVE_DISTANCE, MOST_BELOW_DISTANCE = 0.10, 0.08, 0.15


def known_tables(scores: Scores) -> str:
    """Both families: rank correlation by variant, then means, then what was promised."""
    parts = [f"## Known markets, {scores.days} days, {scores.seeds} seeds, both sides"]
    for family in ("first", "second"):
        names = [name for name in scores.by_row[DISTANCE] if NAMES[name] == family]
        if names:
            parts += [f"### The {family} simulator", _ranks(scores, names), _means(scores, names)]
            parts += [_promises(scores, names, row) for row in (PRIOR, *LEARNED)]
    return "\n\n".join(parts)


def _ranks(scores: Scores, names: Sequence[str]) -> str:
    titles = [name.removeprefix("second: ").replace("_", " ") for name in names]
    rows = []
    for row in ROWS:
        figures = [scores.by_row[row][name].spearman for name in names]
        rows.append([row, *(f"{value:.2f}" for value in figures), f"**{sum(figures) / len(figures):.3f}**"])
    return _table(["Spearman", *titles, "mean"], rows)


def _means(scores: Scores, names: Sequence[str]) -> str:
    rows = []
    for row in ROWS:
        mean = scores.mean(row, names)
        rows.append([row, f"{mean.spearman:.3f}", f"{mean.lift:.2f}", f"{mean.cdf_error:.3f}"])
    return _table(["mean", "Spearman", "lift of the top 20 %", "CDF error"], rows)


def _promises(scores: Scores, names: Sequence[str], row: str) -> str:
    mine, best, plain = (scores.mean(one, names).spearman for one in (row, ORACLE, DISTANCE))
    gaps = {name: scores.by_row[DISTANCE][name].spearman - scores.by_row[row][name].spearman for name in names}
    worst = max(gaps, key=gaps.__getitem__)
    lines = (
        (f"{best - mine:.3f} below the oracle (at most 0.10)", best - mine <= MOST_BELOW_ORACLE),
        (f"{mine - plain:.3f} above distance only (at least 0.08)", mine - plain >= LEAST_ABOVE_DISTANCE),
        (
            f"{gaps[worst]:.2f} below distance only at worst, in {worst} (at most 0.15)",
            gaps[worst] <= MOST_BELOW_DISTANCE,
        ),
    )
    told = "\n".join(f"- {'kept' if kept else '**not kept**'}: {text}" for text, kept in lines)
    return f"`{row}`:\n\n{told}"


def touch_table(scores: Sequence[TouchScore]) -> str:
    """Touch odds, hour by hour."""
    rows = [
        [
            f"{one.hours} h" if one.hours else "all",
            f"{100 * one.calibration_error:.2f} %",
            f"{one.brier:.4f}",
            f"{one.samples}",
        ]
        for one in scores
    ]
    return "## Touch odds on real bars\n\n" + _table(["within", "calibration error", "Brier", "samples"], rows)


def identity_table(found: Sequence[Identities]) -> str:
    """Identities lost without a sweep, by contract and together."""
    rows = [_identity_row(one.symbol, one.lost, one.cluster_days) for one in found]
    rows.append(_identity_row("all", sum(one.lost for one in found), sum(one.cluster_days for one in found)))
    head = ["contract", "lost", "cluster-days", "lost per cluster-day"]
    return "## Cluster identity on real bars\n\n" + _table(head, rows)


def _identity_row(symbol: str, lost: int, days: float) -> list[str]:
    return [symbol, f"{lost}", f"{days:.0f}", f"{lost / days:.2f}" if days else "-"]


def falls_table(found: Sequence[FallsScore]) -> str:
    """Falls of open interest foreseen in the other half of the month, in nats over volume, range and move alone."""
    rows = [[one.symbol, f"{one.bars}", f"{one.prior:+.1f}", f"{one.learned:+.1f}"] for one in found]
    rows.append(["all", "", f"{sum(one.prior for one in found):+.1f}", f"{sum(one.learned for one in found):+.1f}"])
    return "## Falls of open interest on real bars, in the half not learned from\n\n" + _table(
        ["contract", "bars", "sweeps of the prior", "sweeps of learned leverage"], rows
    )


def score_table(score: Score) -> str:
    """The skill meter on the recorded prints."""
    rows = [
        [one.name, f"{one.skill:+.3f} [{one.low:+.2f}, {one.high:+.2f}]", f"{one.lift:.2f}", one.verdict.value]
        for one in score.skill.models
    ]
    size = f"{score.skill.cells} reached cells, {score.skill.effective_events:.1f} effective events"
    return f"## Skill on real prints ({size})\n\n" + _table(["model", "skill", "lift", "verdict"], rows)


def outlook_table(outlook: Outlook) -> str:
    """What the shape of a map adds to forecasts of volatility from price alone."""
    rows = []
    for one in outlook.scores:
        if one.gain is None or one.low is None or one.high is None:
            rows.append([one.model, f"{one.r2:.3f}", f"{one.qlike:.3f}", "", ""])
            continue
        gain = f"{100 * one.gain:+.1f} [{100 * one.low:+.1f}, {100 * one.high:+.1f}]"
        named = zip(outlook.contracts, one.by_contract, strict=True)
        spread = ", ".join(f"{name} {100 * each:+.1f}" for name, each in named)
        rows.append([one.model, f"{one.r2:.3f}", f"{one.qlike:.3f}", gain, spread])
    title = (
        "## Realised volatility of the next four hours on real bars, out of sample "
        f"({outlook.windows} windows at {outlook.times} times on {outlook.days} days)"
    )
    head = ["forecast", "R2", "QLIKE", "squared error saved by the map, % [90 %]", "by contract, %"]
    return f"{title}\n\n" + _table(head, rows)


CLOSE = 5e-4
"""A miss by less, in log price, counts as none."""


def cascade_table(scores: Sequence[CascadeScore]) -> str:
    """How far price went beyond where it was driven to, and by how much each forecast of that was wrong, in percent."""

    def median(values: Iterable[float]) -> str:
        return f"{100 * float(np.median(list(values))):.2f}"

    errors = {
        "nothing more happens": [-one.realised for one in scores],
        "chain, true positions": [one.by_truth - one.realised for one in scores],
        "chain, public map, least": [one.least - one.realised for one in scores],
        "chain, public map, middle": [one.likely - one.realised for one in scores],
        "chain, public map, most": [one.most - one.realised for one in scores],
    }
    rows = [[name, median(map(abs, found)), median(found)] for name, found in errors.items()]
    title = f"## Ends of cascades, {len(scores)} markets; median way {median(one.realised for one in scores)} %"
    inside = sum(one.least - CLOSE <= one.realised <= one.most + CLOSE for one in scores)
    held = f"\n\nThe band from least to most, within {100 * CLOSE:.2f} % of price, held {inside} of {len(scores)} ends."
    return f"{title}\n\n" + _table(["forecast", "median error, % of price", "median of the signed"], rows) + held


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["-"] * len(head), *rows]
    return "\n".join("|" + "|".join(line) + "|" for line in lines)
