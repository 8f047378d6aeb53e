"""How the server can fail on request, one request at a time."""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "refuse",  # any JSON refusal: status, description, parameters
    "page",  # an HTML page instead of JSON, with `status`
    "page_after",  # the same, after the request was carried out
    "broken_json",  # carried out, then half a JSON document with status 200
    "no_result",  # carried out, then `{"ok": true}` without a result
    "odd_result",  # carried out, then a result of another shape
    "reset",  # RST before the request was carried out
    "reset_after",  # carried out, then RST
    "hang_up",  # FIN before the request was carried out
    "hang_up_after",  # carried out, then FIN
    "stall",  # carried out after `seconds`, then answered
    "stall_after",  # carried out at once, answered after `seconds`
    "never",  # carried out, never answered
    "deaf",  # the body is not read for `seconds`, then nothing is carried out
]


@dataclass(slots=True)
class Fault:
    """A failure for the next `times` requests that match `method` and `chat_id` (None matches all but getUpdates)."""

    kind: Kind
    method: str | None = None
    chat_id: int | None = None
    times: int = 1
    seconds: float = 3600.0
    status: int = 502
    description: str = "Bad Gateway"
    parameters: dict[str, Any] | None = None

    def matches(self, method: str, chat_id: int | None) -> bool:
        right_method = method == self.method if self.method else method not in ("getUpdates", "getMe")
        return self.times > 0 and right_method and (self.chat_id is None or self.chat_id == chat_id)


class Faults:
    """The plan: faults in the order they were asked for."""

    def __init__(self) -> None:
        self.plan: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        self.plan += faults

    def clear(self) -> None:
        self.plan.clear()

    def take(self, method: str, chat_id: int | None) -> Fault | None:
        """The fault for this request, if any; each is used up after its `times`."""
        for fault in self.plan:
            if fault.matches(method, chat_id):
                fault.times -= 1
                if not fault.times:
                    self.plan.remove(fault)
                return fault
        return None

    def take_deaf(self, method: str) -> Fault | None:
        """The next fault where it is one that strikes before the body is read."""
        return self.take(method, None) if self.plan and self.plan[0].kind == "deaf" else None
