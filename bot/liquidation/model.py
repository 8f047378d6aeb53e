"""The position model: who holds what, and where it would be liquidated.

Both sides of each contract, in turnover rows, over absolute log-price cells. Per closed bar: the path sweeps the
cells it touches, a share of the rest closes, new positions open over the bar and take their place through the
distance kernel, the close sweeps what it has already passed. `rebuild` gets there in closed form, `update` bar by
bar, `extend` and `draw` by stretches of bars; all are one definition and agree to rounding.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from bot.liquidation.bars import Bar, check_bar, check_history, history_of, path_of
from bot.liquidation.book import REACH, Book, Stood
from bot.liquidation.flow import Flows, FlowState, Rates, Trail, flows
from bot.liquidation.footing import limits, measured, mixing_weights
from bot.liquidation.grid import cells_of
from bot.liquidation.kernel import distance_kernel
from bot.liquidation.maps import Maps
from bot.liquidation.margin import RiskTier
from bot.liquidation.parameters import DEFAULT, ModelParameters, parameters_of, version_of
from bot.liquidation.playing import play
from bot.liquidation.reading import cells_within, read_map, read_maps
from bot.liquidation.standing import Cohorts, lots_of, sign_of, standing
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
        "_flow", "_rates", "_trail", "_whole", "bar_ms", "books", "close", "open_ms", "parameters", "tiers", "version",
        "weights",
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
        self._trail = Trail.after(flow, self._rates)
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
        self._refuse_late_only()
        check_bar(bar, after_ms=self.open_ms)
        late = history_of(bar, self.bar_ms)
        return self._extend(late, self._flows(late))[0]

    def extend(self, history: History) -> list[Swept]:
        """Update with every bar of `history` that is newer than the model; what each of them liquidated.

        Raises ValueError on a broken history.
        """
        late = self._newer(history)
        return self._extend(late, self._flows(late)) if len(late) else []

    def draw(self, history: History, *, window: float = 0.12, weights: Floats | None = None) -> Maps:
        """As `extend`, but the map after each of the bars, as `map` would give it.

        Raises ValueError on a broken history, and on one that holds nothing newer.
        """
        late, before = self._newer(history), self._flow
        if not len(late):
            raise ValueError("the history holds no bar newer than the model")
        flow = self._flows(late)
        mixing = mixing_weights(flow.trail, self._rates, self.parameters, self.weights if weights is None else weights)
        stood = self._play(late, flow, mixing, ahead=cells_within(window))
        estimate = np.vecdot(mixing, flow.estimates(late.open_interest, before).T)
        totals = [np.where(flow.trail.anchored, estimate, side.mass) for side in stood]
        coins = [side.levelled(total) for side, total in zip(stood, totals, strict=True)]
        time_ms = late.open_ms + self.bar_ms
        fresh = measured(flow.trail, time_ms, self.bar_ms, self.parameters)
        return read_maps(
            (coins[0], coins[1]),
            (totals[0], totals[1]),
            close=late.close,
            time_ms=time_ms,
            open_interest=tuple("measured" if one else "estimated" for one in fresh.tolist()),
            limits=limits(flow.trail, time_ms, self.bar_ms, self.parameters, first_ms=before.first_ms),
        )

    def follow(self, bar: Bar) -> Swept:
        """Sweep by another venue's bar while this venue is silent: its flow stands still, and its map grows stale.

        The next `update` then bridges the silence as a gap. Raises ValueError on a broken bar.
        """
        self._refuse_late_only()
        check_bar(bar, after_ms=self.open_ms)
        return self._extend(history_of(bar, self.bar_ms), Flows.still(len(self.weights), self._trail))[0]

    def mixing_weights(self, weights: Floats | None = None) -> Floats:
        """Weight of each turnover row in the map, (rows,), summing to 1; `weights` are the model's own if None."""
        own = self.weights if weights is None else weights
        mixing: Floats = mixing_weights(self._trail, self._rates, self.parameters, own)[0]
        return mixing

    @property
    def measured(self) -> bool:
        """Whether the map's totals rest on open interest that was measured lately."""
        return bool(measured(self._trail, np.array([self.time_ms]), self.bar_ms, self.parameters)[0])

    @property
    def limits(self) -> tuple[MapLimit, ...]:
        """What this model had to do without, in the order of MapLimit."""
        time_ms = np.array([self.time_ms])
        return limits(self._trail, time_ms, self.bar_ms, self.parameters, first_ms=self._flow.first_ms)[0]

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

    def _refuse_late_only(self) -> None:
        if self._whole is not None:
            raise ValueError("a model of late positions only (since_ms) cannot be updated")

    def _newer(self, history: History) -> History:
        self._refuse_late_only()
        late = history.rows(int(np.searchsorted(history.open_ms, self.open_ms, side="right")), len(history))
        if len(late):
            check_history(late)
        return late

    def _flows(self, late: History) -> Flows:
        """The flow of the bars that come next; moves its state behind them."""
        flow, self._flow = flows(self._rates, late.open_ms, late.volume, late.open_interest, self._flow)
        self._trail = Trail.after(self._flow, self._rates)
        return flow

    def _extend(self, late: History, flow: Flows) -> list[Swept]:
        longs, shorts = self._play(late, flow, np.broadcast_to(self.weights, (len(late), len(self.weights))))
        coins = np.stack((longs.swept, shorts.swept), axis=1)
        return [Swept(time_ms, one) for time_ms, one in zip((late.open_ms + self.bar_ms).tolist(), coins, strict=True)]

    def _play(self, late: History, flow: Flows, mixing: Floats, *, ahead: int = 0) -> tuple[Stood, Stood]:
        stood = play(self.books, late, flow, mixing, ahead=ahead)
        self.open_ms, self.close = int(late.open_ms[-1]), float(late.close[-1])
        return stood


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
