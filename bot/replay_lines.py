"""A replay's alerts and receipts as lines, in JSON or for people.

Most alerts tell what the one before told, for another rule: what their lines share is made once.
"""

from collections.abc import Mapping

from bot.alert_line import AlertJson, ReceiptJson
from bot.alerts.gate import Ruling
from bot.alerts.outcomes import Outcome
from bot.alerts.types import Event, Market
from bot.recorded_receipts import Receipt
from bot.telegram.alerts_text import WITHOUT_PRICE, Contract, Matter, alert_text, asked_of, rule_line, tell
from bot.telegram.limits import TEXT_UNITS, bare, shorten
from bot.telegram.receipts_text import receipt_text
from bot.telegram.texts import Texts
from bot.times import utc_text


class ReplayLines:
    """The lines of one run, in the order in which they are asked for."""

    def __init__(self, contracts: Mapping[Market, Contract], texts: Texts, *, json: bool) -> None:
        self._contracts = contracts
        self._texts = texts
        self._json = json
        self._rule_lines: dict[int, tuple[object, str]] = {}
        self._told: _Told | None = None
        self._came: _Came | None = None

    def alert(self, ruling: Ruling) -> str:
        """The line of an alert that the gate has ruled on."""
        event = ruling.event
        if event.kind in WITHOUT_PRICE:
            contract = self._contracts[event.market]
            text = bare(alert_text(event, contract, texts=self._texts, sent_ms=event.time_ms))
            return self._line(ruling, shorten(text, TEXT_UNITS), AlertJson(event))
        matter, told = Matter(event), self._told
        if told is None or told.matter != matter:
            told = self._told = _Told(matter, self._contracts[event.market], self._texts)
        text = shorten(f"{told.above}\n{self._rule_line(event)}\n{told.source}", TEXT_UNITS)
        return self._line(ruling, text, told.json)

    def receipt(self, receipt: Receipt) -> str:
        """The line of what came of an alert."""
        outcome, came = receipt.outcome, self._came
        if came is None or came.outcome is not outcome:
            came = self._came = _Came(outcome, self._contracts[outcome.market], self._texts)
        if self._json:
            return came.json.line(receipt.alert, receipt.rule_id)
        return f"{utc_text(outcome.ended_ms)}  {came.text.splitlines()[0]}"

    def _rule_line(self, event: Event) -> str:
        asked, kept = asked_of(event), self._rule_lines.get(event.rule_id)
        if kept is None or kept[0] != asked:
            kept = self._rule_lines[event.rule_id] = asked, bare(rule_line(event, self._texts))
        return kept[1]

    def _line(self, ruling: Ruling, text: str, json: AlertJson) -> str:
        if self._json:
            return json.line(ruling.event, text, ruling)
        held = f" ({ruling.reason.value})" if ruling.held else ""
        return f"{utc_text(ruling.event.time_ms)}  {text.splitlines()[0]}{held}"


class _Told:
    """What alerts of one matter share."""

    def __init__(self, matter: Matter, contract: Contract, texts: Texts) -> None:
        told = tell(matter, contract, texts, matter.event.time_ms)
        self.matter = matter
        self.above = bare(told.above)
        self.source = bare(told.source)
        self.json = AlertJson(matter.event)


class _Came:
    """What came of alerts that share an outcome."""

    def __init__(self, outcome: Outcome, contract: Contract, texts: Texts) -> None:
        self.outcome = outcome
        self.text = shorten(bare(receipt_text(outcome, contract, texts)), TEXT_UNITS)
        self.json = ReceiptJson(outcome, self.text)
