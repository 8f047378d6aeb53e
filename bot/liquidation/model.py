"""The position model: who holds what, and where it would be liquidated.

Both sides of each contract, in turnover rows, over absolute log-price cells. Per closed bar: the path sweeps the
cells it touches, a share of the rest closes, new positions open over the bar and take their place through the
distance kernel, the close sweeps what it has already passed. `rebuild` gets there in closed form, `update` bar by
bar; both are one definition and agree to rounding.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from bot.liquidation.bars import Bar, Reach, check_bar, check_history, path_of, reach_of
from bot.liquidation.book import REACH, Book
from bot.liquidation.flow import HOUR_MS, FlowState, Rates, Step, flows
from bot.liquidation.grid import cells_of
from bot.liquidation.kernel import distance_kernel
from bot.liquidation.margin import RiskTier
from bot.liquidation.parameters import DEFAULT, ModelParameters, parameters_of, version_of
from bot.liquidation.reading import read_map
from bot.liquidation.standing import Cohorts, lots_of, sign_of, standing, stock_profile
from bot.liquidation.state import pack, unpack
from bot.liquidation.types import Floats, History, LiquidationMap, MapLimit, Side

SIDES = (Side.LONG, Side.SHORT)


@dataclass(frozen=True, slots=True)
class Swept:
    """What the path of one bar liquidated: coins by side (long, short) and turnover row, shape (2, rows)."""

    time_ms: int
    coins: Floats


class PositionModel:
    """Who stands where on one contract after a bar's close. Made by `rebuild`, or by `restore` from its `state`."""

    __slots__ = (
        "_flow", "_rates", "_whole", "bar_ms", "books", "close", "open_ms", "parameters", "tiers", "version", "weights"
    )  # fmt: skip

    def __init__(
        self,
        *,
        bar_ms: int,
        open_ms: int,
        close: float,
        tiers: tuple[RiskTier, ...] | None,
        parameters: ModelParameters,
        flow: FlowState,
        coins: tuple[Floats, Floats],
        weights: Floats | None = None,
        whole: Floats | None = None,
    ) -> None:
        """Use `rebuild` or `restore`. `coins` are each side's Book.coins(); `whole` (2, rows) all coins, if more."""
        self.bar_ms = bar_ms
        self.open_ms = open_ms
        self.close = close
        self.tiers = tiers
        self.parameters = parameters
        self.version = version_of(parameters)
        self.weights: Floats = np.array(parameters.turnover_prior if weights is None else weights, dtype=np.float64)
        self._rates = Rates.of(bar_ms, parameters)
        self._flow = flow
        self._whole = whole
        cell = int(cells_of(close))
        self.books = tuple(
            Book(sign_of(side), distance_kernel(side, tiers, parameters), sign_of(side) * cell, standing_coins)
            for side, standing_coins in zip(SIDES, coins, strict=True)
        )

    @classmethod
    def rebuild(
        cls,
        history: History,
        *,
        tiers: Sequence[RiskTier] | None = None,
        parameters: ModelParameters = DEFAULT,
        since_ms: int | None = None,
    ) -> "PositionModel":
        """The model after the last bar of `history`, in closed form.

        `tiers` are the contract's risk tiers (None: a large contract's). With `since_ms` only positions opened in
        bars from that time on are placed, with the decay and the normalising factor of the full model; such a model
        can be read but not updated. Raises ValueError, naming the bar, on a broken history.
        """
        check_history(history)
        table = None if tiers is None else tuple(tiers)
        kernels = [distance_kernel(side, table, parameters) for side in SIDES]
        cohorts, state = _cohorts(history, parameters)
        coins = _standing(cohorts, kernels)
        whole = None
        if since_ms is not None:
            whole = np.array([side.sum(axis=1) for side in coins])
            coins = _standing(_late(cohorts, history, since_ms), kernels)
        return cls(
            bar_ms=history.bar_ms,
            open_ms=int(history.open_ms[-1]),
            close=float(history.close[-1]),
            tiers=table,
            parameters=parameters,
            flow=state,
            coins=(coins[0], coins[1]),
            whole=whole,
        )

    @property
    def time_ms(self) -> int:
        """The close time of the last bar."""
        return self.open_ms + self.bar_ms

    def update(self, bar: Bar) -> Swept:
        """Take the next closed bar into account; what its path liquidated. Raises ValueError on a broken bar."""
        if self._whole is not None:
            raise ValueError("a model of late positions only (since_ms) cannot be updated")
        check_bar(bar, after_ms=self.open_ms)
        path = reach_of(bar)
        step = self._flow.step(self._rates, bar.open_ms, bar.volume, bar.open_interest)
        taken = [self._advance(book, path, step) for book in self.books]
        self.open_ms, self.close = bar.open_ms, bar.close
        return Swept(self.time_ms, np.array(taken))

    def follow(self, bar: Bar) -> Swept:
        """Sweep by another venue's bar while this venue is silent: its flow stands still, and its map grows stale.

        The next `update` then bridges the silence as a gap. Raises ValueError on a broken bar.
        """
        if self._whole is not None:
            raise ValueError("a model of late positions only (since_ms) cannot be updated")
        check_bar(bar, after_ms=self.open_ms)
        path, still = reach_of(bar), np.ones(len(self.weights))
        taken = [self._advance(book, path, Step(still, np.zeros_like(still))) for book in self.books]
        self.open_ms, self.close = bar.open_ms, bar.close
        return Swept(self.time_ms, np.array(taken))

    def extend(self, history: History) -> list[Swept]:
        """Update with every bar of `history` that is newer than the model; what each of them liquidated."""
        fields = (history.open, history.high, history.low, history.close, history.volume, history.quote_volume)
        columns = [column.tolist() for column in (history.open_ms, *fields, history.open_interest)]
        return [self.update(Bar(*row)) for row in zip(*columns, strict=True) if row[0] > self.open_ms]

    def mixing_weights(self, weights: Floats | None = None) -> Floats:
        """Weight of each turnover row in the map, (rows,), summing to 1.

        `weights` (the model's own if None), less what is physically implausible: a row that would open more coins
        than are traded.
        """
        opened_per_traded = self._rates.share * self._flow.ratio(self._rates)
        full, none = self.parameters.plausible_flow
        plausible = np.minimum(np.maximum((none - opened_per_traded) / (none - full), 0.0), 1.0)
        mixing = (self.weights if weights is None else weights) * plausible
        total = float(mixing.sum())
        if total > 0:
            return mixing / total
        slowest = np.zeros_like(mixing)
        slowest[int(np.argmax(self.parameters.turnover_hours))] = 1.0
        return slowest

    @property
    def measured(self) -> bool:
        """Whether the map's totals rest on open interest that was measured lately."""
        limit = max(self.parameters.stale_hours * HOUR_MS, (self.parameters.stuck_bars + 1) * self.bar_ms)
        return self._flow.anchored and self.time_ms - self._flow.measured_ms <= limit

    @property
    def limits(self) -> tuple[MapLimit, ...]:
        """What this model had to do without, in the order of MapLimit."""
        flow, rules = self._flow, self.parameters
        holds = {
            MapLimit.VOLUME_MODEL: not flow.anchored,
            MapLimit.STALE_OPEN_INTEREST: flow.anchored and not self.measured,
            MapLimit.SPARSE_OPEN_INTEREST: self.measured and flow.known_bars < rules.sparse_share * flow.seen_bars,
            MapLimit.COARSE_BARS: self.bar_ms > rules.fine_bar_ms,
            MapLimit.GAPS: flow.passed_bars - flow.seen_bars > rules.gap_share * flow.passed_bars,
            MapLimit.SHORT_HISTORY: self.time_ms - flow.first_ms < rules.short_hours * HOUR_MS,
        }
        return tuple(limit for limit, applies in holds.items() if applies)

    def map(
        self,
        *,
        price: float | None = None,
        time_ms: int | None = None,
        window: float = 0.12,
        weights: Floats | None = None,
    ) -> LiquidationMap:
        """The map around `price` (the last close if None), in cells within +-`window` in log price.

        With a newer price than the last close, the cells between them count as swept; `time_ms` is then its time.
        `weights` are other turnover weights than the model's own, (rows,).
        Totals equal the open interest where it was ever known; otherwise they are what the model's flow built up:
        half a day's mean volume after a long history without sweeps. Raises ValueError on a price or window that
        is not a positive number.
        """
        weights = self.mixing_weights(weights)
        coins = [book.mix(weights) for book in self.books]
        masses = [float(side.sum()) for side in coins] if self._whole is None else (self._whole @ weights).tolist()
        totals = [float(weights @ self._flow.estimate)] * 2 if self._flow.anchored else masses
        for side, mass, total in zip(coins, masses, totals, strict=True):
            if mass > 0:
                side *= total / mass
        return read_map(
            (coins[0], coins[1]),
            (totals[0], totals[1]),
            close_cell=self.books[1].close,
            price=self.close if price is None else price,
            time_ms=self.time_ms if time_ms is None else time_ms,
            window=window,
            open_interest="measured" if self.measured else "estimated",
            limits=self.limits,
        )

    def state(self) -> bytes:
        """Everything that `restore` needs to go on exactly as this model would; about 0.12 MB."""
        if self._whole is not None:
            raise ValueError("a model of late positions only (since_ms) has no state to keep")
        return pack(
            {
                "bar_ms": self.bar_ms,
                "open_ms": self.open_ms,
                "close": self.close,
                "parameters": asdict(self.parameters),
                "tiers": None if self.tiers is None else [asdict(tier) for tier in self.tiers],
                "flow": {name: value for name, value in asdict(self._flow).items() if name != "estimate"},
            },
            (self.weights, self._flow.estimate, *(array for book in self.books for array in book.saved())),
        )

    @classmethod
    def restore(cls, state: bytes) -> "PositionModel":
        """The model whose `state` this is. Raises ValueError on anything else, or on another model version."""
        fields, arrays = unpack(state)
        try:
            weights, estimate, *books = arrays
            model = cls(
                bar_ms=fields["bar_ms"],
                open_ms=fields["open_ms"],
                close=fields["close"],
                tiers=None if fields["tiers"] is None else tuple(RiskTier(**tier) for tier in fields["tiers"]),
                parameters=parameters_of(fields["parameters"]),
                flow=FlowState(estimate=estimate, **fields["flow"]),
                coins=(books[0], books[2]),
                weights=weights,
            )
            for book, saved in zip(model.books, (books[:2], books[2:]), strict=True):
                book.load(*saved)
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError("not a state of this position model") from error
        return model

    def _advance(self, book: Book, path: Reach, step: Step) -> Floats:
        """One bar on one side: sweep, close, open, with the close having swept what it passed; the coins swept."""
        high, low = book.sign * path.high, book.sign * path.low
        taken = book.sweep(max(high, low))
        book.fade(step.kept)
        book.move(book.sign * path.close)
        entries = path.density[:: book.sign]
        profile = book.kernel * entries[0] if len(entries) == 1 else np.convolve(entries, book.kernel)
        book.open(step.opened, profile, min(high, low))
        if step.stock is not None:
            stock = stock_profile(book.kernel, REACH)
            book.open(step.stock, stock / stock.sum(), book.close + 1)
        return taken


def cohorts_of(history: History, parameters: ModelParameters, *, since_ms: int | None = None) -> Cohorts:
    """What was opened and not closed voluntarily by the end; with `since_ms` only in bars from that time on.

    Raises ValueError, naming the bar, on a broken history.
    """
    check_history(history)
    cohorts, _ = _cohorts(history, parameters)
    return cohorts if since_ms is None else _late(cohorts, history, since_ms)


def _cohorts(history: History, parameters: ModelParameters) -> tuple[Cohorts, FlowState]:
    """Each bar's opened coins that were not closed voluntarily by the end, and the flow's state after it."""
    path = path_of(history.high, history.low, history.close, history.volume, history.quote_volume)
    rates = Rates.of(history.bar_ms, parameters)
    flow, state = flows(rates, history.open_ms, history.volume, history.open_interest)
    fading = np.cumsum(np.log(flow.kept[:, ::-1]), axis=1)[:, ::-1]
    left = np.ones_like(flow.kept)
    np.exp(fading[:, 1:], out=left[:, :-1])
    stock = flow.stock * left[:, flow.stock_bar] if flow.stock_bar >= 0 else flow.stock
    return Cohorts(path, flow.opened * left, stock, flow.stock_bar), state


def _late(cohorts: Cohorts, history: History, since_ms: int) -> Cohorts:
    weight = cohorts.weight * (history.open_ms >= since_ms)
    return Cohorts(cohorts.path, weight, np.zeros_like(cohorts.stock), -1)


def _standing(cohorts: Cohorts, kernels: Sequence[Floats]) -> list[Floats]:
    lots = lots_of(cohorts)
    return [standing(cohorts, lots, kernel, side, REACH) for side, kernel in zip(SIDES, kernels, strict=True)]
