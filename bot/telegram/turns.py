"""Turns of all chats: one at a time and in order within a chat, in parallel across chats, each handled once."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.clock import Clock
from bot.delivery.insist import insist
from bot.delivery.messenger import Message
from bot.liquidation.values import replace
from bot.storage.database import Database
from bot.storage.errors import LostLeaseError, StorageError
from bot.storage.updates import Update
from bot.telegram.asking import changes, makes_rule
from bot.telegram.flood import Flood, Verdict
from bot.telegram.inbound import Heard, Moved, Said, Standing, from_payload
from bot.telegram.limits import fit
from bot.telegram.replies import Note, Replies
from bot.telegram.texts import Catalogue, Html, Texts
from bot.telegram.turn import Action, Inbound, Reply, Toast
from bot.telegram.turn_codec import actions_from_json, actions_to_json

Converse = Callable[[Inbound], Awaitable[Sequence[Action]]]

_log = logging.getLogger(__name__)


class Ranks(Protocol):
    """Knows who is an admin of a chat. Raises DeliveryError where that cannot be told now."""

    async def is_admin(self, chat_id: int, user_id: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class House:
    """What a turn needs around it; `chats_changed` is told of chats that left, came back or moved.

    Of those to whom the bot is not open, a chat or a person, nothing is remembered.
    """

    database: Database
    catalogue: Catalogue
    ranks: Ranks
    clock: Clock
    chats_changed: Callable[[], None] = lambda: None
    is_open_to: Callable[[int | None, int | None], bool] = lambda chat, user: True


class Turns:
    """Takes stored updates and sees each through: the conversation's answer, its delivery, the note that it is done.

    `parallel` is how many chats are served at a time, `per_minute` how many requests of one chat are answered.
    """

    def __init__(
        self, converse: Converse, replies: Replies, house: House, *, parallel: int = 16, per_minute: int = 30
    ) -> None:
        self._converse = converse
        self._replies = replies
        self._house = house
        self._flood = Flood(per_minute)
        self._people = Flood(max(1, per_minute // 2))
        self._places = asyncio.Semaphore(parallel)
        self._queues: dict[int, deque[Update]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, update: Update) -> None:
        """Put an update behind the others of its chat."""
        chat = update.chat or 0
        if chat in self._queues:
            self._queues[chat].append(update)
            return
        self._queues[chat] = deque([update])
        task = asyncio.create_task(self._serve(chat), name=f"turns of chat {chat}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, timeout_s: float) -> None:
        """Finish what has begun within the time; what is cut short is handled again after the next start."""
        for queue in self._queues.values():
            queue.clear()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _serve(self, chat: int) -> None:
        queue = self._queues[chat]
        try:
            while queue:
                async with self._places:
                    if queue:
                        await self._handle(queue.popleft())
        finally:
            del self._queues[chat]
            for flood in (self._flood, self._people):
                flood.forget_idle(self._house.clock.monotonic())

    async def _handle(self, update: Update) -> None:
        try:
            await self._do(update)
        except LostLeaseError:
            _log.warning("a turn is left to the process that has taken over", extra={"update": update.id})

    async def _do(self, update: Update) -> None:
        try:
            await self._take(update, from_payload(update.payload))
        except LostLeaseError:
            raise
        except (KeyError, TypeError, ValueError):
            _log.exception("a stored update cannot be read", extra={"update": update.id})
        except Exception:
            _log.exception("a turn failed", extra={"update": update.id, "chat": update.chat})
        updates, clock = self._house.database.updates, self._house.clock
        await insist(lambda: updates.handled(update.id, now_ms=clock.now_ms()), "note a turn as done", clock)

    async def _take(self, update: Update, heard: Heard) -> None:
        cut_short = bool(update.begun or update.actions)
        said: Said | None
        if isinstance(heard, Said):
            said = heard
        else:
            known = await self._house.database.chats.get(heard.chat_id)
            await insist(lambda: self._note_standing(heard), "note where a chat stands", self._house.clock)
            self._house.chats_changed()
            # A group that moved has another id, and is let in again in the server's words; there nothing is new.
            said = None if known is not None and known.active and not cut_short else _greeting(heard)
        if said is None:
            return
        if cut_short:
            await self._resume(update, said)
        else:
            await self._answer(said)

    async def _note_standing(self, heard: Standing | Moved) -> None:
        chats, now_ms = self._house.database.chats, self._house.clock.now_ms()
        match heard:
            case Moved():
                await chats.migrate(heard.chat_id, heard.new_chat_id, now_ms=now_ms)
            case Standing(present=True) if not self._house.is_open_to(heard.chat_id, heard.user_id):
                return
            case Standing(present=True):
                chat = await chats.seen(heard.chat_id, kind=heard.chat_kind, now_ms=now_ms)
                if heard.chat_kind == "channel" and heard.user_id is not None:
                    await self._house.database.links.add(heard.user_id, heard.chat_id)
                    if chat.language is None:
                        await chats.set_language(heard.chat_id, heard.language)
            case Standing():
                await chats.deactivate(heard.chat_id, f"the bot was {heard.status}", now_ms=now_ms)

    async def _answer(self, said: Said) -> None:
        inbound = said.inbound
        verdict = self._flood_of(inbound)
        if verdict == "pass_over":
            _log.info("a flood of requests is passed over", extra={"chat": inbound.chat_id})
            return
        actions = await (self._sentence(inbound, "error.flood") if verdict == "warn" else self._actions(said))
        await self._replies.carry_out(inbound, actions, note=self._note(inbound, actions))

    def _flood_of(self, inbound: Inbound) -> Verdict:
        """What to do about one more request; in a group nobody alone may use up what the group may ask."""
        now_s = self._house.clock.monotonic()
        if inbound.chat_kind != "private" and inbound.user_id is not None:
            theirs = self._people.verdict((inbound.chat_id, inbound.user_id), now_s)
            if theirs != "answer":
                return theirs
        return self._flood.verdict(inbound.chat_id, now_s)

    async def _resume(self, update: Update, said: Said) -> None:
        """Go on with an answer that the end of a process cut short: what may have arrived is repeated, and says so."""
        decided = actions_from_json(update.actions) if update.actions else await self._actions(said)
        unsure, actions = update.begun - 1, list(decided)
        if 0 <= unsure < len(actions):
            actions[unsure] = await self._repeated(said.inbound, actions[unsure])
        note = self._note(said.inbound, decided, doubted=update.begun)
        await self._replies.carry_out(said.inbound, actions, note=note, first=max(0, unsure))

    async def _actions(self, said: Said) -> Sequence[Action]:
        """What the conversation answers; one sentence where it fails. A tap is always answered."""
        inbound = said.inbound
        try:
            if self._house.is_open_to(inbound.chat_id, inbound.user_id):
                inbound = await self._known(said)
            actions = await self._converse(inbound)
        except LostLeaseError:
            raise
        except Exception:
            _log.exception("a turn failed", extra={"update": inbound.update_id, "chat": inbound.chat_id})
            actions = await self._sentence(inbound, "error.failed")
        if inbound.callback_id and not any(isinstance(action, Toast) for action in actions):
            return (Toast(), *actions)
        return actions

    def _note(self, inbound: Inbound, decided: Sequence[Action], *, doubted: int = 0) -> Note:
        """How to keep count of what has begun of an answer.

        The first `doubted` of its actions may have arrived before, whatever becomes of their repeats.
        """
        kept = actions_to_json(decided)

        async def note(begun: int) -> None:
            begun = max(begun, doubted)
            try:
                await self._house.database.updates.answering(inbound.update_id, begun=begun, actions=kept)
            except LostLeaseError:
                raise  # somebody else answers
            except StorageError as error:
                # Whoever waits is answered all the same; only a crash at this very moment repeats it unmarked.
                known = {"update": inbound.update_id, "reason": error}
                _log.warning("an answer could not be noted before it is sent", extra=known)

        return note

    async def _repeated(self, inbound: Inbound, action: Action) -> Action:
        """An action once more: a message says that it is a repeat, and makes no sound; an edit or a toast may recur."""
        if not isinstance(action, Reply):
            return action
        texts = await self._texts(inbound)
        text = texts("alert.repeat", line=Html(action.message.text))
        return Reply(fit(replace(action.message, text=text, silent=True)))

    async def _known(self, said: Said) -> Inbound:
        """The turn with what is remembered of its chat: the language, and the person's right to change rules."""
        inbound, chats = said.inbound, self._house.database.chats
        chat = await chats.seen(inbound.chat_id, kind=inbound.chat_kind, now_ms=self._house.clock.now_ms())
        own = inbound.chat_kind == "private"
        language = inbound.language if own and inbound.language else chat.language or inbound.language
        if language != chat.language:
            await chats.set_language(inbound.chat_id, language)
        language = chat.preferences.language or language
        may_change = inbound.may_change
        if said.check_admin and inbound.user_id is not None and (changes(inbound) or inbound.chat_kind == "channel"):
            may_change = await self._house.ranks.is_admin(inbound.chat_id, inbound.user_id)
        inbound = replace(inbound, language=language, may_change=may_change)
        if may_change and inbound.topic != chat.topic and makes_rule(inbound):
            # A group's alerts go to the topic in which a rule was last made.
            await chats.set_topic(inbound.chat_id, inbound.topic)
        return inbound

    async def _texts(self, inbound: Inbound) -> Texts:
        """The texts in the chat's language; its client's where the database does not tell."""
        try:
            chat = await self._house.database.chats.get(inbound.chat_id)
        except StorageError:
            _log.warning("a chat's language could not be read", extra={"chat": inbound.chat_id})
            chat = None
        return self._house.catalogue.texts((chat.spoken if chat else None) or inbound.language)

    async def _sentence(self, inbound: Inbound, key: str) -> list[Action]:
        """One sentence to whoever waits: a toast for a tap, a message for a text."""
        texts = await self._texts(inbound)
        if inbound.callback_id:
            return [Toast(texts.label(key))]
        return [Reply(Message(texts(key)))]


def _greeting(heard: Standing | Moved) -> Said | None:
    """The turn in which the bot says what it is for, where it was let in; in private, /start does that.

    A group is told there, whoever let it into a channel is told in private.
    """
    if isinstance(heard, Moved) or not heard.joined or heard.chat_kind == "private":
        return None
    if heard.chat_kind == "channel":
        return None if heard.user_id is None else Said(_news_of_channel(heard, heard.user_id))
    return Said(
        Inbound(
            heard.update_id,
            heard.chat_id,
            heard.chat_kind,
            language=heard.language,
            may_change=False,
            occasion="group_joined",
        )
    )


def _news_of_channel(heard: Standing, user: int) -> Inbound:
    return Inbound(
        heard.update_id,
        user,
        user_id=user,
        language=heard.language,
        occasion="channel_joined",
        subject=heard.chat_id,
    )
