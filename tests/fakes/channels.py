"""Channels of which a test says who may post in them."""

from collections.abc import Sequence

from bot.telegram.speaking import Channel


class FakeChannels:
    """`titles` by id, `posters` the (user, channel) pairs who may post; a name is a title without its blanks."""

    def __init__(self, titles: dict[int, str], posters: set[tuple[int, int]]) -> None:
        self.titles = titles
        self.posters = posters
        self.linked: set[tuple[int, int]] = set()
        self.speaking: dict[int, int] = {}

    async def of(self, user: int) -> Sequence[Channel]:
        return [await self.get(user, channel) for who, channel in sorted(self.linked & self.posters) if who == user]

    async def named(self, user: int, typed: str) -> Channel | None:
        for channel, title in self.titles.items():
            if typed.removeprefix("@") == title.replace(" ", "") and (user, channel) in self.posters:
                self.linked.add((user, channel))
                return await self.get(user, channel)
        return None

    async def get(self, user: int, channel: int) -> Channel:
        known = (user, channel) in self.linked & self.posters
        return Channel(channel, self.titles.get(channel, str(channel)), may_post=known)

    async def spoken_for(self, user: int) -> int | None:
        return self.speaking.get(user)

    async def speak_for(self, user: int, channel: int | None) -> None:
        self.speaking.pop(user, None)
        if channel is not None:
            self.speaking[user] = channel
