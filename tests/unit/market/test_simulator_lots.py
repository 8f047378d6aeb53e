"""Holders are liquidated by the venue's own rule, and close, pay in and stop as they said they would."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.liquidation.margin import RiskTier
from bot.liquidation.values import replace
from bot.market.simulator_lots import Holders, Margin, Newcomers
from bot.market.simulator_parameters import BASE, DEEP, SHALLOW, LeverageMix, SimulationParameters, risk_tiers

ISOLATED = replace(BASE, lot_sigma=0.0, added_margin=0.0, stop_share=0.0, cross_share=0.0)


def holders(sign: int, leverage: LeverageMix, parameters: SimulationParameters = ISOLATED) -> Holders:
    return Holders(sign, Margin(DEEP), Newcomers(parameters, leverage, np.random.default_rng(1)))


def opened(book: Holders, *, coins: float = 10.0, lots: int = 10, price: float = 100.0) -> Holders:
    book.open(coins, lots=lots, price=np.array([price]), clock=0.0)
    return book


class TestLiquidationPrice:
    @pytest.mark.parametrize(("sign", "distance"), [(+1, 0.00602410), (-1, 0.00597610)])
    def test_a_hundredfold_lot_is_closed_at_its_known_distance(self, sign: int, distance: float) -> None:
        price, _ = opened(holders(sign, ((100, 1.0),))).standing()
        assert np.abs(price / 100 - 1) == pytest.approx(distance, abs=1e-8)

    @given(
        sign=st.sampled_from([+1, -1]),
        tiers=st.sampled_from([DEEP, SHALLOW]),
        entry=st.floats(1e-6, 1e6),
        notional=st.floats(1.0, 1.5e7),
        leverage=st.floats(1.1, 125),
    )
    def test_margin_is_just_the_maintenance_of_the_notional_there(
        self, sign: int, tiers: tuple[RiskTier, ...], entry: float, notional: float, leverage: float
    ) -> None:
        margin_rule = Margin(tiers)
        cap = float(margin_rule.leverage_cap(np.array([notional]))[0])
        coins, margin = notional / entry, notional / min(leverage, cap)
        signed = margin_rule.signed_liquidation(
            sign=sign, entry=np.array([entry]), coins=np.array([coins]), margin=np.array([margin])
        )
        price = sign * float(signed[0])
        if price <= 0:
            assert sign > 0
            assert leverage < 1.1 or cap <= 1
            return
        assert (price < entry) == (sign > 0)
        held = coins * price
        if held < tiers[-1].notional_cap:
            tier = next(tier for tier in tiers if tier.notional_floor <= held <= tier.notional_cap)
            need = held * tier.maintenance_margin_rate - tier.maintenance_amount
            assert margin + sign * coins * (price - entry) == pytest.approx(need, abs=1e-9 * notional)

    def test_a_large_lot_may_not_have_the_leverage_of_a_small_one(self) -> None:
        small, _ = opened(holders(+1, ((100, 1.0),)), coins=1, lots=1).standing()
        large, _ = opened(holders(+1, ((100, 1.0),)), coins=1e6, lots=1).standing()
        assert large[0] < 0.9 * small[0]


class TestSweeping:
    def test_only_what_the_price_has_reached_is_liquidated(self) -> None:
        for sign in (+1, -1):
            book = opened(opened(holders(sign, ((100, 1.0),)), price=100), price=110 if sign > 0 else 90)
            closed = book.sweep(sign * (109.0 if sign > 0 else 91.0))
            assert closed.liquidated.all()
            assert closed.total == pytest.approx(10)
            assert book.standing()[1].sum() == pytest.approx(10)
            assert book.sweep(sign * (109.0 if sign > 0 else 91.0)).total == 0

    def test_a_stop_closes_before_the_liquidation_and_is_none(self) -> None:
        book = opened(holders(+1, ((10, 1.0),), replace(ISOLATED, stop_share=1.0)))
        liquidation, _ = book.standing()
        closed = book.sweep(float(liquidation.max()) * 1.0001)
        assert closed.total == pytest.approx(10)
        assert not closed.liquidated.any()

    def test_a_wallet_pays_in_and_is_liquidated_farther_off(self) -> None:
        paying = replace(ISOLATED, cross_share=1.0, top_up_share=1.0)
        for sign in (+1, -1):
            book = opened(holders(sign, ((20, 1.0),), paying), lots=50)
            before = np.sort(sign * book.standing()[0])[::-1]
            assert book.sweep(float(np.median(before)) * (1 - sign * 1e-6)).liquidated_coins < 5
            after = sign * book.standing()[0]
            assert after.max() < before.max()
            ruined = book.sweep(-1e9 if sign < 0 else 0.0)
            assert ruined.liquidated.all()
            assert book.standing()[1].sum() == 0


class TestClosing:
    def test_holders_leave_at_their_hazard(self) -> None:
        book = opened(holders(+1, ((5, 1.0),), replace(ISOLATED, holding=((1.0, 10.0),))), coins=1, lots=10_000)
        assert book.close_due(0.0) == 0
        assert book.close_due(120.0) == pytest.approx(1 - np.exp(-1), abs=0.02)

    @given(share=st.floats(0, 1), lots=st.integers(1, 300))
    def test_exactly_so_many_coins_are_closed_by_chance(self, share: float, lots: int) -> None:
        book = opened(holders(+1, ((5, 1.0),), replace(ISOLATED, lot_sigma=1.5)), coins=100, lots=lots)
        closed = book.close_some(100 * share, np.random.default_rng(2))
        assert closed == pytest.approx(100 * share, abs=1e-9)
        assert book.standing()[1].sum() == pytest.approx(100 - closed, abs=1e-9)

    def test_no_more_is_closed_than_there_is(self) -> None:
        book = opened(holders(-1, ((5, 1.0),)), coins=10, lots=3)
        assert book.close_some(25.0, np.random.default_rng(2)) == pytest.approx(10)
        assert book.close_some(-1.0, np.random.default_rng(2)) == 0

    def test_chance_does_not_prefer_the_oldest(self) -> None:
        book = opened(holders(+1, ((5, 1.0),)), coins=1000, lots=1000, price=100)
        opened(book, coins=1000, lots=1000, price=200)
        book.close_some(400, np.random.default_rng(3))
        price, coins = book.standing()
        assert coins[price < 100].sum() == pytest.approx(800, abs=60)

    def test_dropping_the_closed_leaves_the_open_as_they_were(self) -> None:
        book = opened(holders(+1, ((5, 1.0),)), coins=1000, lots=20_000)
        book.close_some(600, np.random.default_rng(3))
        price, coins = book.standing()
        book.compact()
        assert np.array_equal(book.standing()[0], price)
        assert np.array_equal(book.standing()[1], coins)
        assert book.sweep(0.0).total == pytest.approx(400)


def test_newcomers_come_in_the_same_order_however_many_are_taken() -> None:
    one, two = (Newcomers(BASE, BASE.long_leverage, np.random.default_rng(4)) for _ in range(2))
    at_once = one.take(40_000).copy()
    in_turns = np.concatenate([two.take(n).copy() for n in (1, 16_383, 5, 20_000, 3_611)], axis=1)
    assert np.array_equal(at_once, in_turns)


def test_newcomers_follow_the_mix() -> None:
    taken = Newcomers(BASE, ((2, 1.0), (50, 3.0)), np.random.default_rng(4)).take(20_000)
    assert np.mean(taken[1] == 50) == pytest.approx(0.75, abs=0.01)
    assert np.isin(taken[1], [2, 50]).all()


def test_tiers_meet_where_one_ends_and_the_next_begins() -> None:
    for tiers in (DEEP, SHALLOW, risk_tiers((10, 0.1, 5))):
        for low, high in pairwise(tiers):
            at = low.notional_cap
            below = at * low.maintenance_margin_rate - low.maintenance_amount
            assert below == pytest.approx(at * high.maintenance_margin_rate - high.maintenance_amount)
