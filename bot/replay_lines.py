"""A replay's alerts and receipts as lines, in JSON or for people.

Most alerts tell what the one before told, for another rule: what their lines share is made once.
"""

from collections.abc import Mapping

from bot.alert_line import AlertJson, ReceiptJson
from bot.alerts.gate import Ruling
from bot.alerts.outcomes import Outcome
from bot.alerts.types import Event, Market
from bot.recorded_receipts import Receipt
from bot.telegram.alerts_text import WITHOUT_PRICE, Contract, Matter, alert_text, rule_line, tell
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
        self._told: _Told | None = None
        self._came: _Came | None = None

    def alert(self, ruling: Ruling) -> str:
        """The line of an alert that the gate has ruled on."""
        event = ruling.event
        matter = Matter(event)
        told = self._told
        if told is None or told.matter != matter:
            told = self._told = _Told(matter, self._contracts[event.market], self._texts)
        text = told.text(event)
        if self._json:
            return told.json.line(event, text, ruling)
        held = f" ({ruling.reason.value})" if ruling.held else ""
        return f"{utc_text(event.time_ms)}  {text.splitlines()[0]}{held}"

    def receipt(self, receipt: Receipt) -> str:
        """The line of what came of an alert."""
        outcome, came = receipt.outcome, self._came
        if came is None or came.outcome is not outcome:
            came = self._came = _Came(outcome, self._contracts[outcome.market], self._texts)
        if self._json:
            return came.json.line(receipt.alert, receipt.rule_id)
        return f"{utc_text(outcome.ended_ms)}  {came.text.splitlines()[0]}"


class _Told:
    """What alerts of one matter share."""

    def __init__(self, matter: Matter, contract: Contract, texts: Texts) -> None:
        self.matter = matter
        self.json = AlertJson(matter.event)
        self._contract = contract
        self._texts = texts
        self._lines: tuple[str, str] | None = None
        if matter.event.kind not in WITHOUT_PRICE:
            above, source = tell(matter, contract, texts, matter.event.time_ms)
            self._lines = bare(above), bare(source)

    def text(self, event: Event) -> str:
        """The text of one of them as it is read, sent at once."""
        if self._lines is None:
            text = bare(alert_text(event, self._contract, texts=self._texts, sent_ms=event.time_ms))
        else:
            above, source = self._lines
            text = f"{above}\n{bare(rule_line(event, self._texts))}\n{source}"
        return shorten(text, TEXT_UNITS)


class _Came:
    """What came of alerts that share an outcome."""

    def __init__(self, outcome: Outcome, contract: Contract, texts: Texts) -> None:
        self.outcome = outcome
        self.text = shorten(bare(receipt_text(outcome, contract, texts=texts)), TEXT_UNITS)
        self.json = ReceiptJson(outcome, self.text)
