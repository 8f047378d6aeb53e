"""Readings of one coin on several exchanges added up to one, in the contract of the first exchange that lists it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from bot.liquidation import History, LiquidationMap
from bot.liquidation.clusters import find_clusters
from bot.liquidation.combining import LeftOut, VenuePart, combine_maps, lay_over
from bot.liquidation.strength import ShareHistory
from bot.liquidation.values import replace
from bot.market.types import BAR_MS
from bot.markets import LiveMarket
from bot.reading import Reading

STALE_MS = 4 * BAR_MS
"""A venue whose newest closed bar ended so long ago is stale; prices are judged by `Markets.stale_since_ms`."""

MOST_BASIS = 0.05
"""In log price. One coin's prices differ by far less: beyond that one name stands for two coins."""


@dataclass(frozen=True, slots=True)
class VenueReading:
    """A venue's market with a reading of it. `units` is how many of its own units one unit of the combination is."""

    live: LiveMarket
    reading: Reading
    units: float

    @property
    def part(self) -> VenuePart:
        """What it is in the whole, before anything is added up."""
        drawn = self.reading.map
        usd = (drawn.long_total_usd + drawn.short_total_usd) / 2
        return VenuePart(
            *self.live.market,
            time_ms=self.live.history.end_ms,
            usd=usd,
            known_share=self.reading.known_share,
            limits=drawn.limits,
        )

    def close_at(self, end_ms: int) -> float:
        """The close, in units of the combination, of the bar that ended then; of the nearest one before a gap."""
        history = self.live.history
        row = int(np.searchsorted(history.open_ms, end_ms - history.bar_ms, side="right")) - 1
        return float(history.close[max(0, row)]) * self.units

    def extremes_since(self, time_ms: int) -> dict[str, float]:
        """The path since then in units of the combination, as `lay_over` takes it; nothing where there is none."""
        low, high = self.live.extremes_since(time_ms)
        return {} if np.isnan(low) else {"low": low * self.units, "high": high * self.units}


def lead_of(venues: Sequence[VenueReading]) -> VenueReading:
    """The first venue whose bars are the newest: the combination has its price, its path and its volatility."""
    return max(venues, key=lambda venue: venue.live.history.end_ms)


def add_up(
    venues: Sequence[VenueReading], left_out: Sequence[VenuePart], *, shares: ShareHistory, at_prices: bool = False
) -> Reading:
    """One reading from those of `venues`, at least one; `left_out` is told with it.

    The readings are of each venue's last close; with `at_prices` of its newest price. A venue whose bars lag is swept
    by the lead's path since. `shares` rates the clusters. Proven is a combination whose every part that weighs is.
    """
    lead = lead_of(venues)
    laid: dict[str, LiquidationMap] = {}
    missing = list(left_out)
    price = lead.live.price * lead.units if at_prices else lead.close_at(lead.live.history.end_ms)
    for venue in venues:
        drawn, end_ms = venue.reading.map, venue.live.history.end_ms
        scale = (price if at_prices else lead.close_at(end_ms)) / drawn.price
        if abs(log(scale / venue.units)) > MOST_BASIS:
            missing.append(replace(venue.part, left_out=LeftOut.OTHER_PRICE))
        else:
            laid[venue.live.market.exchange] = lay_over(drawn, price=price, scale=scale, **lead.extremes_since(end_ms))
    combined = combine_maps(laid)
    parts = [_joined(venue.part, combined.shares) for venue in venues if venue.live.market.exchange in laid]
    volatility = lead.reading.volatility
    clusters = find_clusters(combined.map, day_volatility=volatility.day, strength=shares.strength)
    versions = {venue.live.market.exchange: venue.reading.version for venue in venues}
    proven = {venue.live.market.exchange: venue.reading.proven for venue in venues}
    return Reading(
        map=combined.map,
        clusters=clusters,
        volatility=volatility,
        # Without one of its venues a combination is not comparable to what it was with it.
        version="+".join(sorted(f"{name}/{version}" for name, version in versions.items() if name in combined.shares)),
        proven=all(proven[part.venue] for part in parts if part.weighs),
        parts=(*sorted(parts, key=lambda part: -part.share), *missing),
        known_share=sum(part.share * part.known_share for part in parts),
    )


def _joined(part: VenuePart, shares: Mapping[str, float]) -> VenuePart:
    share = shares.get(part.venue)
    return replace(part, left_out=LeftOut.NO_OPEN_INTEREST) if share is None else replace(part, share=share)


def in_units(history: History, units: float) -> History:
    """The history of a contract of which `units` make one: dearer prices, fewer coins."""
    if units == 1.0:
        return history
    prices = {name: getattr(history, name) * units for name in ("open", "high", "low", "close")}
    coins = {name: getattr(history, name) / units for name in ("volume", "open_interest")}
    return replace(history, **prices, **coins)
