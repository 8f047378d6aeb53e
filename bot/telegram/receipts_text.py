"""What came of an alert, told under it in its thread: whether price came, how far it went, what was liquidated."""

from collections.abc import Sequence
from functools import lru_cache

from bot.alerts.outcomes import Ending, Outcome
from bot.delivery.messenger import Message
from bot.liquidation.values import replace
from bot.telegram.callbacks import copy_key, key, market_arg
from bot.telegram.headlines import Contract
from bot.telegram.limits import fit
from bot.telegram.texts import Html, Texts


def receipt_message(
    outcome: Outcome,
    contract: Contract,
    *,
    texts: Texts,
    reply_to: int | None = None,
    repeat: bool = False,
    photo: bytes | None = None,
    photo_name: str | None = None,
) -> Message:
    """A silent reply to the alert's message, short enough to be read on a lock screen."""
    text = _kept_text(replace(outcome, alert="", chat=0, rule_id=0), contract, texts, repeat)
    look = key(texts.label("button.map"), "m", market_arg(outcome.market))
    keys = ((look, copy_key(outcome.near, contract.tick_size, texts)),)
    return fit(Message(text, keys, photo=photo, photo_name=photo_name, silent=True, reply_to=reply_to))


def receipt_text(outcome: Outcome, contract: Contract, texts: Texts, repeat: bool = False) -> str:
    """The receipt in words, the same for all rules that told of this at once."""
    head = receipt_line(outcome, contract, texts)
    if repeat:
        head = texts("alert.repeat", line=head)
    if contract.simulated:
        head = texts("alert.simulated", line=head)
    return "\n".join([texts("alert.head", text=head), *_details(outcome, contract, texts)])


_kept_text = lru_cache(maxsize=128)(receipt_text)
"""Many rules tell of one cluster at once, and their wait ends at once."""


def receipt_line(outcome: Outcome, contract: Contract, texts: Texts) -> Html:
    """What happened, in one line."""
    figures = texts.figures
    words = {
        "base": contract.base,
        "level": figures.level(outcome.near, contract.tick_size),
        "after": figures.duration(outcome.ended_ms - outcome.time_ms),
        "percent": figures.percent(abs(outcome.short_of_pct)),
    }
    if outcome.ending is Ending.SWEPT:
        return texts.of("receipt.swept", outcome.side, **words)
    expired = outcome.ending is Ending.EXPIRED
    if outcome.touched_ms:
        return texts.of("receipt.touched" if expired else "receipt.touched_faded", outcome.side, **words)
    return texts.of("receipt.missed" if expired else "receipt.faded", outcome.side, **words)


def _details(outcome: Outcome, contract: Contract, texts: Texts) -> Sequence[Html]:
    figures = texts.figures
    reach = figures.price(outcome.reach, contract.tick_size)
    percent = figures.percent(abs(outcome.short_of_pct))
    lines = []
    if outcome.chance is None:
        lines.append(texts("receipt.was_inside", reach=reach, percent=percent))
    elif outcome.touched_ms:
        touched = figures.duration(outcome.touched_ms - outcome.time_ms)
        if percent == figures.percent(0.0):
            lines.append(texts("receipt.came_just", touched=touched, reach=reach))
        else:
            lines.append(texts("receipt.came", touched=touched, reach=reach, percent=percent))
    else:
        lines.append(texts("receipt.short", reach=reach, percent=percent))
    if outcome.touched_ms or outcome.printed_usd is not None:
        lines.append(_printed_line(outcome, texts))
    if outcome.chance is not None:
        window = figures.duration(outcome.until_ms - outcome.time_ms)
        lines.append(texts("receipt.chance", odds=figures.odds(outcome.chance), window=window))
    return lines


def _printed_line(outcome: Outcome, texts: Texts) -> Html:
    figures = texts.figures
    if outcome.printed_usd is None:
        return texts("receipt.not_heard")
    usd = figures.money(outcome.printed_usd)
    if outcome.expected_usd is None:
        return texts("receipt.printed", usd=usd)
    high = figures.money(outcome.expected_high_usd or outcome.expected_usd)
    return texts("receipt.printed_of", usd=usd, expected=figures.money(outcome.expected_usd), high=high)
