"""How the server says no."""

from typing import Any


class Refusal(Exception):  # noqa: N818 (it is an answer, not an error of the fake)
    """A reply other than ok: the status, the description, and parameters such as retry_after."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        reply: dict[str, Any] = {"ok": False, "error_code": self.status, "description": self.description}
        return reply | ({"parameters": self.parameters} if self.parameters else {})


def bad_request(text: str) -> Refusal:
    return Refusal(400, f"Bad Request: {text}")
