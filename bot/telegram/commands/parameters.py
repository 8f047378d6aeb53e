"""What can be changed about a rule, and the values that its page offers: each is a line of `parse_edit`.

A choice is the current one where its line changes nothing, so a value typed by hand is marked like a tapped one.
"""

from dataclasses import dataclass

from bot.alerts.edit_line import parse_edit
from bot.alerts.faults import ParseError
from bot.alerts.filters import DEFAULT_MIN_STRENGTH
from bot.alerts.line_writer import plain
from bot.alerts.rule_builder import GOES_WITH
from bot.alerts.types import Kind, Repeat, Rule, Unit
from bot.liquidation.values import replace
from bot.telegram.desk import MarketView
from bot.telegram.sensitivity import sensitivity
from bot.telegram.texts import Html, Texts
from bot.telegram.texts.figures import DAY_MS, MINUTE_MS
from bot.telegram.wording import distance_words

NEAR_PCT = (0.5, 1.0, 1.5, 2.0, 3.0)
ATRS = (0.5, 1.0, 1.5, 2.0, 3.0)
ODDS_PCT = (30.0, 50.0, 60.0, 70.0, 80.0)
THRESHOLDS_PCT = {
    Kind.GROWTH: (10.0, 20.0, 30.0, 50.0, 100.0),
    Kind.CASCADE: (95.0, 99.0, 99.5, 99.9),
    Kind.FLIP: (5.0, 10.0, 20.0, 30.0),
    Kind.CONCENTRATION: (90.0, 95.0, 99.0),
    Kind.EXPOSURE: (1.0, 2.0, 3.0, 5.0, 10.0),
}
CUSTOM = {
    Kind.GROWTH: "25%",
    Kind.CASCADE: "99.7%",
    Kind.FLIP: "15%",
    Kind.CONCENTRATION: "97%",
    Kind.EXPOSURE: "1.5%",
}
WINDOWS_MINUTES = {
    Kind.PROXIMITY: (60, 240, 720, 1440),
    Kind.GROWTH: (60, 240, 720, 1440),
    Kind.BREAKOUT: (5, 15, 30, 60),
    Kind.STOP_HUNT: (15, 30, 60, 120),
}
STRENGTHS = (75, 90)
SIZES_USD = (1e6, 10e6, 50e6)
CASCADE_SIZES_USD = (100e3, 1e6, 5e6)
REPEATS_MINUTES = (30, 60, 240)
LIVES_DAYS = (1, 3, 7, 30)


@dataclass(frozen=True, slots=True)
class Choice:
    """One value: what its button says, and the line that sets it."""

    label: str
    line: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something of a rule that can be changed. `custom` is an example of the line with a value of one's own."""

    name: str
    value: Html
    choices: tuple[Choice, ...]
    custom: str


def parameters(rule: Rule, view: MarketView | None, texts: Texts) -> tuple[Parameter, ...]:
    """All that can be changed of a rule of this kind, in the order of its page."""
    if rule.kind is Kind.DIGEST:
        return (_period(rule, texts), _end(rule, texts), _label(rule, texts))
    terms = GOES_WITH[rule.kind]
    found = [_threshold(rule, view, texts)] if "percent" in terms else []
    if "level" in terms:
        found.append(_level(rule, texts))
    if rule.kind in WINDOWS_MINUTES and (rule.kind is not Kind.PROXIMITY or rule.unit is Unit.ODDS):
        found.append(_window(rule, texts))
    if "side" in terms and rule.kind is not Kind.EXPOSURE:  # a price that liquidates one side never does the other
        found.append(_side(rule, texts))
    if "size" in terms:
        found.append(_floor(rule, texts))
    if "confluence" in terms:
        found.append(_confluence(rule, texts))
    return (*found, _repeat(rule, texts), _end(rule, texts), _label(rule, texts))


def is_current(rule: Rule, choice: Choice, *, now_ms: int) -> bool:
    """Whether the rule is so already."""
    changed = parse_edit(rule, choice.line, now_ms=now_ms)
    return not isinstance(changed, ParseError) and replace(changed, created_ms=rule.created_ms) == rule


def _threshold(rule: Rule, view: MarketView | None, texts: Texts) -> Parameter:
    exact = texts.figures.exact_percent
    values: list[tuple[str, str]]
    if rule.kind is Kind.PROXIMITY and rule.unit is Unit.ATR:
        values = [(distance_words(value, Unit.ATR, texts), f"{value:g}atr") for value in ATRS]
        name, custom = "near", "1.7atr"
    elif rule.kind is Kind.PROXIMITY and rule.unit is Unit.ODDS:
        values = [(exact(value), f"odds {value:g}%") for value in ODDS_PCT]
        name, custom = "odds", "odds 65%"
    elif rule.kind is Kind.PROXIMITY:
        steps = sensitivity(view.daily_move_pct if view else None)
        near = sorted({*NEAR_PCT, steps.calm_pct, steps.normal_pct, steps.fast_pct})
        values, name, custom = [(exact(value), f"{value:g}%") for value in near], "near", "1.7%"
    else:
        values = [(exact(value), f"{value:g}%") for value in THRESHOLDS_PCT[rule.kind]]
        name, custom = rule.kind.value, CUSTOM[rule.kind]
    now = distance_words(rule.threshold_pct, Unit.ATR if rule.unit is Unit.ATR else Unit.PERCENT, texts)
    return Parameter(name, now, tuple(Choice(label, line) for label, line in values), custom)


def _level(rule: Rule, texts: Texts) -> Parameter:
    level = rule.level or 0.0
    return Parameter("level", Html(texts.figures.own_price(level)), (), plain(level))


def _window(rule: Rule, texts: Texts) -> Parameter:
    odds, name = rule.unit is Unit.ODDS, "odds_window" if rule.unit is Unit.ODDS else f"{rule.kind.value}_window"
    chance = f"{rule.threshold_pct:g}% in " if odds else ""
    choices = tuple(
        Choice(texts.figures.duration(minutes * MINUTE_MS), f"{chance}{minutes}min")
        for minutes in WINDOWS_MINUTES[rule.kind]
    )
    return Parameter(name, Html(texts.figures.duration(rule.window_ms)), choices, f"{chance}45min")


def _side(rule: Rule, texts: Texts) -> Parameter:
    choices = tuple(Choice(texts.label(f"choice.{line}"), line) for line in ("both", "long", "short"))
    return Parameter("side", texts(f"choice.{rule.side or 'both'}"), choices, "short")


def _floor(rule: Rule, texts: Texts) -> Parameter:
    money = texts.figures.money
    if "strength" not in GOES_WITH[rule.kind]:
        sizes = tuple(Choice(money(usd), f"{usd:.0f}usd") for usd in CASCADE_SIZES_USD)
        return Parameter("floor", Html(money(rule.min_usd or 0.0)), sizes, "2.5M")
    strong = tuple(
        Choice(texts.label("choice.strength", strength=str(each)), f"any size strength {each}") for each in STRENGTHS
    )
    sizes = tuple(Choice(money(usd), f"any strength size {usd:.0f}usd") for usd in SIZES_USD)
    usual = Choice(texts.label("choice.strong", strength=str(DEFAULT_MIN_STRENGTH)), "any size any strength")
    said = [texts("choice.strength", strength=str(rule.min_strength))] if rule.min_strength is not None else []
    said += [Html(money(rule.min_usd))] if rule.min_usd is not None else []
    value = Html(texts("rule.join").join(said)) if said else texts("choice.strong", strength=str(DEFAULT_MIN_STRENGTH))
    return Parameter("floor", value, (usual, *strong, *sizes), "size 25M")


def _confluence(rule: Rule, texts: Texts) -> Parameter:
    either, only = texts.label("choice.any_edge"), texts.label("choice.confluence")
    choices = (Choice(either, "no confluence"), Choice(only, "confluence"))
    return Parameter("confluence", Html(only if rule.where.confluence else either), choices, "confluence")


def _repeat(rule: Rule, texts: Texts) -> Parameter:
    choices = [Choice(texts.label("choice.each_time"), "any repeat"), Choice(texts.label("choice.once"), "once")]
    if "every" in GOES_WITH[rule.kind]:
        choices += [Choice(_every(minutes * MINUTE_MS, texts), f"every {minutes}min") for minutes in REPEATS_MINUTES]
    value = texts("choice.once" if rule.repeat is Repeat.ONCE else "choice.each_time")
    if rule.repeat is Repeat.EVERY:
        value = Html(_every(rule.repeat_ms, texts))
    return Parameter("repeat", value, tuple(choices), "every 45min" if len(choices) > 2 else "once")


def _every(ms: int, texts: Texts) -> str:
    return texts.label("choice.every", window=texts.figures.duration(ms))


def _end(rule: Rule, texts: Texts) -> Parameter:
    lives = tuple(Choice(texts.figures.duration(days * DAY_MS), f"for {days * 24}h") for days in LIVES_DAYS)
    never = Choice(texts.label("choice.never"), "no end")
    value = texts("choice.never")
    if rule.expires_ms:
        value = Html(texts.figures.clock(rule.expires_ms, now_ms=0))
    return Parameter("end", value, (never, *lives), "until friday")


def _label(rule: Rule, texts: Texts) -> Parameter:
    none = Choice(texts.label("choice.no_label"), "no label")
    value = texts("choice.no_label") if rule.label is None else texts("rule.label", label=rule.label)
    return Parameter("label", value, (none,) if rule.label is not None else (), '"my long"')


def _period(rule: Rule, texts: Texts) -> Parameter:
    choices = (Choice(texts.label("choice.daily"), "daily"), Choice(texts.label("choice.weekly"), "weekly"))
    daily = rule.window_ms <= DAY_MS
    return Parameter("period", texts("choice.daily" if daily else "choice.weekly"), choices, "weekly")
