"""Alerts: what they say, what came of them, when they keep quiet, and why."""

from bot.alerts.hit_rate import HitRate
from bot.alerts.outcomes import Ending, follow
from bot.alerts.reasons import Reason
from bot.alerts.silence import Silence
from bot.alerts.types import Kind, LogEntry, Severity
from bot.liquidation.values import replace
from bot.telegram.alerts_text import Contract, alert_message, sample_event
from bot.telegram.desk import (
    PassedView,
    QuietView,
    StatsView,
    ToldView,
    WhyView,
)
from bot.telegram.receipts_text import receipt_message
from tests.fakes.chat import Chat
from tests.fakes.desk import NOON_MS, PNG
from tests.unit.telegram.conversations import Script

MINUTE_MS = 60_000
HOUR_MS = 3_600_000


async def alerts(chat: Chat) -> None:
    await chat.type("/watch BTC 1%")
    await chat.type("/watch ZRX 2%")
    view = chat.desk.markets["BTCUSDT"]
    near = min(view.clusters, key=lambda each: abs(each.distance_pct))
    event = replace(sample_event(view, near, now_ms=NOON_MS), rule_id=1, severity=Severity.WARNING, threshold_pct=1.0)
    contract = Contract("BTC", 0.1)
    alert = chat.show(
        alert_message(event, contract, texts=chat.texts, sent_ms=NOON_MS + 1_000, photo=PNG, photo_name="BTC at 12:00")
    )
    await chat.tap("Snooze 1 hr")
    await chat.tap("Wake up")
    chat.desk.told[alert] = (ToldView(event, "BTC", 0.1, chat.desk.rule(1), ()),)
    chat.desk.now += 20 * MINUTE_MS
    chat.desk.markets["BTCUSDT"] = replace(view, price=97_010.0)
    await chat.tap("Refresh")
    chat.desk.markets["BTCUSDT"] = replace(view, clusters=())
    await chat.tap("Refresh")
    del chat.desk.told[alert]
    await chat.tap("Refresh")
    chat.desk.now, chat.desk.markets["BTCUSDT"] = NOON_MS, view
    await chat.tap("Rule #1")
    await chat.tap("Delete")
    await chat.tap("Undo")
    await chat.tap_key(
        alert, next(button for button in chat.keys(alert) if button.text == chat.texts.label("button.map"))
    )
    grew = replace(event, kind=Kind.GROWTH, value_pct=34.2, threshold_pct=30.0, window_ms=240 * MINUTE_MS)
    chat.show(alert_message(grew, contract, texts=chat.texts, sent_ms=NOON_MS + 150_000, repeat=True))
    zrx = chat.desk.markets["ZRXUSDT"]
    volume = replace(sample_event(zrx, zrx.clusters[0], now_ms=NOON_MS), rule_id=2, threshold_pct=2.0)
    simulated = Contract("ZRX", 0.0001, simulated=True)
    chat.show(alert_message(volume, simulated, texts=chat.texts, sent_ms=NOON_MS + 1_000))


async def what_came_of_it(chat: Chat) -> None:
    await chat.type("/stats")
    await chat.type("/watch BTC 1%")
    await chat.type("/watch SOL grow 30% 4h")
    view = chat.desk.markets["BTCUSDT"]
    near = min(view.clusters, key=lambda each: abs(each.distance_pct))
    event = replace(sample_event(view, near, now_ms=NOON_MS), rule_id=1, touch=((1, 0.3), (4, 0.55), (24, 0.9)))
    contract = Contract("BTC", 0.1)
    told = follow(event)
    assert told is not None
    over = replace(told, ending=Ending.EXPIRED, ended_ms=told.until_ms, settled_ms=told.until_ms)
    reached = replace(over, reach=told.near, touched_ms=NOON_MS + 35 * MINUTE_MS)
    swept = replace(reached, reach=told.far, ending=Ending.SWEPT, ended_ms=NOON_MS + 95 * MINUTE_MS, printed_usd=1.2e6)
    chat.show(receipt_message(over, contract, texts=chat.texts))
    chat.show(receipt_message(reached, contract, texts=chat.texts, repeat=True))
    chat.show(receipt_message(swept, contract, texts=chat.texts))
    expected = replace(swept, expected_usd=0.9e6, expected_high_usd=2.3e6, chance=None)
    chat.show(receipt_message(expected, contract, texts=chat.texts))
    faded = replace(told, ending=Ending.FADED, ended_ms=NOON_MS + 80 * MINUTE_MS, printed_usd=0.0)
    chat.show(receipt_message(faded, Contract("BTC", 0.1, simulated=True), texts=chat.texts))
    good, bad = HitRate(42, 3, 35, 18, 16.4, 8.2), HitRate(25, 0, 24, 3, 9.1, 5.1)
    rules = {view.rule.id: view.rule for view in await chat.desk.rules(chat.chat_id)}
    chat.desk.record = StatsView(
        30,
        good + bad,
        ((Kind.PROXIMITY, good), (Kind.GROWTH, bad)),
        (
            (1, rules[1], good),
            (2, rules[2], bad),
            (9, None, HitRate(2, 0, 0)),
            (7, None, HitRate(1, 0, 1, 1, 0.4, 0.24)),
        ),
    )
    await chat.type("/stats")
    await chat.tap("Refresh")


async def quiet_and_mute(chat: Chat) -> None:
    for line in (
        "/quiet",
        "/quiet 23-7",
        "/quiet 23-7 Europe/Berlin",
        "/quiet 10:30pm-6:15am",
        "/quiet 23-7 UTC+2 critical passes",
        "/quiet 23-7 Narnia",
        "/quiet 7-7 UTC",
        "/quiet tonight",
    ):
        await chat.type(line)
    chat.desk.silence = replace(
        chat.desk.silence,
        quiet_until_ms=NOON_MS + 5 * HOUR_MS,
        held=7,
        held_since_ms=NOON_MS - 2 * HOUR_MS,
        held_until_ms=NOON_MS + 5 * HOUR_MS,
    )
    await chat.type("/quiet")
    await chat.tap("Critical waits too")
    await chat.tap("No quiet hours")
    chat.desk.silence = QuietView(None)
    await chat.type("/mute 8h")
    await chat.tap("End the mute")
    await chat.tap("Mute 1\xa0hr")
    await chat.type("/mute off")
    for line in ("/mute for ever", "/mute 31d", "/mute 0m"):
        await chat.type(line)


async def why(chat: Chat) -> None:
    await chat.type("/watch BTC 0.5%")
    await chat.type("/watch SOL 1%")
    chat.lines.clear()
    await chat.type("/why")
    await chat.type("/why BTC")
    await chat.type("/why rule 2")
    for line in ("/why ETH", "/why 99", "/why BTV"):
        await chat.type(line)
    explain_btc(chat)
    await chat.type("/why #1")
    await chat.type("/why")
    await chat.type("/why", reply_to=4_711)
    view = chat.desk.markets["BTCUSDT"]
    near = min(view.clusters, key=lambda each: abs(each.distance_pct))
    event = replace(sample_event(view, near, now_ms=NOON_MS), rule_id=1, severity=Severity.WARNING, threshold_pct=1.0)
    chat.show(alert_message(event, Contract("BTC", 0.1), texts=chat.texts, sent_ms=NOON_MS))
    rule = chat.desk.whys[1].rule
    chat.desk.told[max(chat.screen)] = (ToldView(event, "BTC", 0.1, rule, tuple(reversed(chat.desk.log))),)
    await chat.tap("Why?")


def explain_btc(chat: Chat) -> None:
    """A day in which much was kept back, and every reason of now."""
    view = chat.desk.markets["BTCUSDT"]
    weak, passed = (replace(each.cluster, strength=48) for each in view.clusters[:2])

    def entry(minutes: int, reason: Reason, until: int = 0) -> LogEntry:
        at_ms = NOON_MS - minutes * MINUTE_MS
        until_ms = NOON_MS + until * MINUTE_MS
        return LogEntry(at_ms, reason, view.market, 7, 1, "S1", 1, 0.4, view.price, until_ms, key="k")

    chat.desk.log = (
        entry(5, Reason.HELD_BUDGET, 40),
        entry(50, Reason.HELD_QUIET, -30),
        entry(90, Reason.GROUPED),
        entry(200, Reason.TOLD),
    )
    silences = (
        Silence(Reason.SNOOZED, until_ms=NOON_MS + 9 * MINUTE_MS),
        Silence(Reason.STALE, since_ms=NOON_MS - 30 * MINUTE_MS),
        Silence(Reason.COOLING, view.clusters[1].cluster, 0.4, since_ms=NOON_MS - HOUR_MS, until_ms=NOON_MS + HOUR_MS),
        Silence(Reason.TOO_WEAK, weak, 0.31, measured=48.0, asked=60.0),
        Silence(Reason.TOO_SMALL, passed, 0.2, measured=4e6, asked=1e7),
    )
    gone = PassedView(passed, NOON_MS - 100 * MINUTE_MS, Silence(Reason.TOO_WEAK, passed, measured=48.0, asked=60.0))
    chat.desk.whys[1] = WhyView(
        rule=chat.desk.rule(1),
        base="BTC",
        tick_size=0.1,
        now=silences,
        log=chat.desk.log,
        passed=(gone,),
        stale=((NOON_MS - 30 * MINUTE_MS, None), (NOON_MS - 300 * MINUTE_MS, NOON_MS - 273 * MINUTE_MS)),
    )
    chat.desk.silence = QuietView(None, held=1, held_since_ms=NOON_MS - 300_000, held_until_ms=NOON_MS + 2_400_000)


SCRIPTS: tuple[Script, ...] = (
    alerts,
    what_came_of_it,
    quiet_and_mute,
    why,
)
