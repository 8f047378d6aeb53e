"""What the server was asked, in order, and what it answered."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Entry:
    """One request that was carried out or refused. `answered` is False where the client was left without a reply.

    `status` is the HTTP status the server decided on; a message with 200 is delivered, whatever the client heard.
    `uploaded` counts the bytes of files that came with it.
    """

    number: int
    at_s: float
    method: str
    status: int
    chat_id: int | None = None
    message_id: int | None = None
    html: str | None = None
    text: str | None = None
    photo: str | None = None
    buttons: list[list[dict[str, Any]]] = field(default_factory=list)
    silent: bool = False
    reply_to: int | None = None
    uploaded: int = 0
    description: str = ""
    answered: bool = True
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def is_delivery(self) -> bool:
        """Whether this put a new message into a chat."""
        return self.status == 200 and self.method.startswith("send") and self.method != "sendChatAction"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
