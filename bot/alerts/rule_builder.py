"""From the terms of a line to the rule it asks for: which terms go with which kind, defaults, and ranges."""

from collections.abc import Mapping
from decimal import Decimal

from bot.alerts import lexicon as lex
from bot.alerts.breakout import NORMAL_HOLD_MS
from bot.alerts.cascade import NORMAL_MIN_USD, NORMAL_PERCENTILE
from bot.alerts.concentration import NORMAL_BAND_PCT
from bot.alerts.exposure import NORMAL_PCT as NORMAL_EXPOSURE_PCT
from bot.alerts.faults import ErrorCode, FaultError
from bot.alerts.flip import NORMAL_MARGIN_PCT
from bot.alerts.line_reader import Terms
from bot.alerts.stop_hunt import NORMAL_WINDOW_MS
from bot.alerts.types import Kind, Market, Repeat, Rule, Unit, Where
from bot.liquidation.values import replace

_PLACE = {"side", "size", "strength", "above", "below", "confluence"}
_APPROACH = _PLACE | {"within", "beyond", "odds"}
_ALWAYS = {"kind", "once", "expiry"}

GOES_WITH: Mapping[Kind, frozenset[str]] = {
    kind: frozenset(terms | _ALWAYS)
    for kind, terms in {
        Kind.PROXIMITY: _APPROACH | {"percent", "atr", "window", "every"},
        Kind.GROWTH: _APPROACH | {"percent", "window", "every"},
        Kind.NEW_CLUSTER: _APPROACH,
        Kind.SWEPT: _PLACE,
        Kind.BREAKOUT: _PLACE | {"window"},
        Kind.STOP_HUNT: _PLACE | {"window"},
        Kind.CASCADE: {"side", "size", "percent", "every"},
        Kind.FLIP: {"side", "size", "percent"},
        Kind.CONCENTRATION: {"percent", "every"},
        Kind.EXPOSURE: {"side", "level", "percent", "within", "every"},
    }.items()
}
"""The terms that each kind takes."""

_PERCENT = {
    Kind.PROXIMITY: (lex.PROXIMITY_PCT, ErrorCode.PERCENT_RANGE, lex.NORMAL_PCT),
    Kind.GROWTH: (lex.GROWTH_PCT, ErrorCode.GROWTH_RANGE, lex.NORMAL_GROWTH_PCT),
    Kind.CASCADE: (lex.CASCADE_PCT, ErrorCode.MARGIN_RANGE, NORMAL_PERCENTILE),
    Kind.FLIP: (lex.FLIP_PCT, ErrorCode.MARGIN_RANGE, NORMAL_MARGIN_PCT),
    Kind.CONCENTRATION: (lex.BAND_PCT, ErrorCode.MARGIN_RANGE, NORMAL_BAND_PCT),
    Kind.EXPOSURE: (lex.EXPOSURE_PCT, ErrorCode.PERCENT_RANGE, NORMAL_EXPOSURE_PCT),
}
_WINDOW = {
    Kind.GROWTH: (lex.WINDOW_MINUTES, ErrorCode.WINDOW_RANGE, lex.NORMAL_WINDOW_MINUTES),
    Kind.BREAKOUT: (lex.HOLD_MINUTES, ErrorCode.TIME_RANGE, NORMAL_HOLD_MS // lex.MINUTE_MS),
    Kind.STOP_HUNT: (lex.RETURN_MINUTES, ErrorCode.TIME_RANGE, NORMAL_WINDOW_MS // lex.MINUTE_MS),
}
_MOST = Decimal(10) ** 18


class RuleBuilder:
    """Makes the draft of a rule of what was said. Raises FaultError at the word that does not fit."""

    def __init__(self, terms: Terms, *, now_ms: int, normal_pct: float) -> None:
        self._terms = terms
        self._said = terms.said
        self._now_ms = now_ms
        self._normal_pct = normal_pct

    def rule(self, market: Market) -> Rule:
        terms = self._terms
        kind = terms.kind or Kind.PROXIMITY
        for name, word in self._said.items():
            if name not in GOES_WITH[kind]:
                raise FaultError(word, ErrorCode.NOT_FOR_KIND, kind=kind.value)
        unit = self._unit(kind)
        threshold = self._threshold(kind, unit)
        size = self._ranged("size", terms.size, lex.SIZE_USD, ErrorCode.SIZE_RANGE)
        strength = self._ranged("strength", terms.strength, lex.STRENGTH, ErrorCode.STRENGTH_RANGE)
        repeat, repeat_ms = self._repeat()
        return Rule(
            id=0,
            chat=0,
            market=market,
            kind=kind,
            threshold_pct=threshold,
            window_ms=self._window_ms(kind, unit),
            side=terms.side,
            min_usd=NORMAL_MIN_USD if size is None and kind is Kind.CASCADE else size,
            min_strength=None if strength is None else round(strength),
            unit=unit,
            where=self._where(kind, unit),
            level=self._level(kind),
            repeat=repeat,
            repeat_ms=repeat_ms,
            expires_ms=self.expires_ms(),
        )

    def expires_ms(self) -> int:
        """When the rule ends, to the minute; 0 where it does not."""
        terms = self._terms
        if "expiry" not in self._said:
            return 0
        until_ms = terms.until_ms
        if until_ms is None and terms.life is not None:
            life = self._ranged("expiry", terms.life, lex.LIFE_MINUTES, ErrorCode.EXPIRY_RANGE) or 0.0
            until_ms = self._now_ms + round(life * lex.MINUTE_MS)
        minutes = Decimal((until_ms or 0) - self._now_ms) / lex.MINUTE_MS
        self._ranged("expiry", minutes, lex.LIFE_MINUTES, ErrorCode.EXPIRY_RANGE)
        return -(-(until_ms or 0) // lex.MINUTE_MS) * lex.MINUTE_MS

    def _unit(self, kind: Kind) -> Unit:
        """What the threshold counts: of proximity it may be ATRs, or the odds of a touch in some time."""
        if kind is not Kind.PROXIMITY:
            return Unit.PERCENT
        if "atr" in self._said:
            if (extra := self._said.get("percent") or self._said.get("window")) is not None:
                raise FaultError(extra, ErrorCode.TWICE)
            return Unit.ATR
        if "window" in self._said:
            if (extra := self._said.get("odds")) is not None:
                raise FaultError(extra, ErrorCode.TWICE)
            return Unit.ODDS
        odds_alone = "odds" in self._said and not {"percent", "within"} & self._said.keys()
        return Unit.ODDS if odds_alone else Unit.PERCENT

    def _threshold(self, kind: Kind, unit: Unit) -> float:
        terms = self._terms
        if unit is Unit.ATR:
            return self._ranged("atr", terms.atr, lex.ATR, ErrorCode.ATR_RANGE) or 0.0
        if unit is Unit.ODDS:
            name, value = ("odds", terms.odds) if "odds" in self._said else ("percent", terms.percent)
            found = self._ranged(name, value, lex.ODDS_PCT, ErrorCode.ODDS_RANGE)
            if found is None:
                raise FaultError(self._said["window"], ErrorCode.NOT_UNDERSTOOD)
            return found
        if kind not in _PERCENT:
            return 0.0
        bounds, code, normal = _PERCENT[kind]
        name, value = "percent", terms.percent
        if value is None and kind in (Kind.PROXIMITY, Kind.EXPOSURE):
            name, value = "within", terms.within
        found = self._ranged(name, value, bounds, code)
        if found is None:
            return self._normal_pct if kind is Kind.PROXIMITY else normal
        return found

    def _window_ms(self, kind: Kind, unit: Unit) -> int:
        terms = self._terms
        if unit is Unit.ODDS:
            minutes = terms.window if terms.window is not None else terms.odds_minutes
            name = "window" if terms.window is not None else "odds"
            found = self._ranged(name, minutes, lex.WINDOW_MINUTES, ErrorCode.WINDOW_RANGE)
            return round(found or lex.NORMAL_ODDS_MINUTES) * lex.MINUTE_MS
        if kind not in _WINDOW:
            return 0
        bounds, code, normal = _WINDOW[kind]
        return round(self._ranged("window", terms.window, bounds, code) or normal) * lex.MINUTE_MS

    def _where(self, kind: Kind, unit: Unit) -> Where:
        terms = self._terms
        above = self._ranged("above", terms.above, lex.PRICE, ErrorCode.PRICE_RANGE)
        below = self._ranged("below", terms.below, lex.PRICE, ErrorCode.PRICE_RANGE)
        if above is not None and below is not None and above > below:
            raise FaultError(self._said["above"], ErrorCode.BAD_PRICE)
        near = self._ranged("beyond", terms.beyond, lex.AWAY_PCT, ErrorCode.PERCENT_RANGE)
        # Of a plain proximity rule "within" is the distance itself, unless another was said.
        own = kind is Kind.EXPOSURE or (kind is Kind.PROXIMITY and unit is Unit.PERCENT)
        if own and "percent" in self._said and "within" in self._said:
            raise FaultError(self._said["within"], ErrorCode.TWICE)
        far = None if own else self._ranged("within", terms.within, lex.AWAY_PCT, ErrorCode.PERCENT_RANGE)
        where = Where(above, below, near, far, confluence=terms.confluence)
        if terms.odds is None or unit is Unit.ODDS:
            return where
        odds = self._ranged("odds", terms.odds, lex.ODDS_PCT, ErrorCode.ODDS_RANGE)
        minutes = self._ranged("odds", terms.odds_minutes, lex.WINDOW_MINUTES, ErrorCode.WINDOW_RANGE)
        return replace(where, odds_pct=odds, odds_ms=round(minutes or lex.NORMAL_ODDS_MINUTES) * lex.MINUTE_MS)

    def _level(self, kind: Kind) -> float | None:
        if kind is not Kind.EXPOSURE:
            return None
        if self._terms.level is None:
            raise FaultError(self._said["kind"], ErrorCode.LEVEL_MISSING)
        if self._terms.side is None:
            raise FaultError(self._said["kind"], ErrorCode.SIDE_MISSING)
        return self._ranged("level", self._terms.level, lex.PRICE, ErrorCode.PRICE_RANGE)

    def _repeat(self) -> tuple[Repeat, int]:
        if "every" not in self._said:
            return (Repeat.ONCE if self._terms.once else Repeat.EPISODE), 0
        if "once" in self._said:
            raise FaultError(self._said["every"], ErrorCode.TWICE)
        minutes = self._ranged("every", self._terms.every, lex.EVERY_MINUTES, ErrorCode.TIME_RANGE)
        return Repeat.EVERY, round(minutes or 0) * lex.MINUTE_MS

    def _ranged(self, name: str, value: Decimal | None, bounds: tuple[float, float], code: ErrorCode) -> float | None:
        if value is None:
            return None
        low, high = bounds
        if not Decimal(str(low)) <= value <= Decimal(str(high)):
            shown = float(max(min(value, _MOST), -_MOST))
            raise FaultError(self._said[name], code, value=shown, low=low, high=high)
        return float(value)
