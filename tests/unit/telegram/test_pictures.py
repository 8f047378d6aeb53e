"""File ids of pictures: remembered, forgotten, and waited for."""

import asyncio

import pytest

from bot.telegram.pictures import Pictures


async def use(pictures: Pictures, name: str | None, given: str) -> str | None:
    """Use a picture as a request does; returns the file_id that was known before."""
    async with pictures.named(name) as picture:
        known = picture.file_id
        picture.file_id = picture.file_id or given
    return known


async def test_the_second_use_knows_what_the_first_was_given() -> None:
    pictures = Pictures()
    assert [await use(pictures, "a", "id1"), await use(pictures, "a", "id2")] == [None, "id1"]


async def test_a_picture_without_a_name_is_not_remembered() -> None:
    pictures = Pictures()
    assert [await use(pictures, None, "id1"), await use(pictures, None, "id1")] == [None, None]


async def test_the_least_recently_used_is_forgotten_first() -> None:
    pictures = Pictures(capacity=2)
    for name in ("a", "b", "a", "c"):
        await use(pictures, name, name)
    assert [await use(pictures, name, "new") for name in ("a", "c", "b")] == ["a", "c", None]


async def test_a_refused_id_is_forgotten_also_where_the_next_try_fails() -> None:
    pictures = Pictures()
    await use(pictures, "a", "old")

    async def refused_and_broken() -> None:
        async with pictures.named("a") as picture:
            picture.file_id = None
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await refused_and_broken()
    assert await use(pictures, "a", "new") is None


async def test_a_failed_upload_lets_the_next_one_try() -> None:
    pictures = Pictures()
    with pytest.raises(RuntimeError):
        async with pictures.named("a"):
            raise RuntimeError
    assert await use(pictures, "a", "id") is None
    assert await use(pictures, "a", "id") == "id"


async def test_an_upload_that_hangs_is_waited_for_only_a_while() -> None:
    pictures = Pictures(upload_wait_s=0.01)
    gate = asyncio.Event()

    async def hang() -> None:
        async with pictures.named("a"):
            await gate.wait()

    hanging = asyncio.create_task(hang())
    await asyncio.sleep(0)
    assert await use(pictures, "a", "id") is None
    gate.set()
    await hanging
    assert await use(pictures, "a", "other") == "id", "the one that hung does not undo it"
