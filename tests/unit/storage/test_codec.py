"""What is stored comes back equal."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bot.liquidation.types import LiquidationMap, MapLimit
from bot.storage.blobs import pack, unpack
from bot.storage.codec import (
    event_from_plain,
    event_to_plain,
    map_from_blob,
    map_to_blob,
    samples_from_blob,
    samples_to_blob,
)
from bot.storage.database import Database
from bot.storage.errors import UnreadableBlobError
from bot.storage.maps import ModelState
from tests.unit.storage.values import NOW, ZRX, cluster, event


@pytest.mark.parametrize(
    "happened",
    [
        event(),
        event(touch=(), cluster=cluster(), open_interest="measured", market=ZRX._replace(symbol="币安人生USDT")),
    ],
)
def test_an_event_survives_json(happened: object) -> None:
    assert event_from_plain(json.loads(json.dumps(event_to_plain(happened)))) == happened  # type: ignore[arg-type]


def test_an_event_without_a_field_of_later_days_is_still_read() -> None:
    plain = event_to_plain(event())
    del plain["touch"], plain["limits"]
    assert event_from_plain(plain) == event(touch=(), limits=())


numbers = arrays.arrays(np.float64, st.integers(0, 50)) | arrays.arrays(np.int64, st.integers(0, 50))


@given(st.dictionaries(st.text(), numbers), st.dictionaries(st.text(), st.integers() | st.text()))
def test_any_columns_survive_a_blob(columns: dict[str, np.ndarray], facts: dict[str, object]) -> None:
    loaded, said = unpack(pack(columns, facts))
    assert said == facts
    assert list(loaded) == list(columns)
    for name, column in columns.items():
        assert loaded[name].dtype == column.dtype
        assert loaded[name].tobytes() == column.tobytes()


@given(st.binary())
def test_damage_is_never_anything_but_an_unreadable_blob(rubbish: bytes) -> None:
    whole = pack({"a": np.arange(9.0)})
    for damaged in (rubbish, whole[:-1], whole[:20] + rubbish, whole[:3] + rubbish):
        with pytest.raises(UnreadableBlobError):
            unpack(damaged)


@pytest.mark.parametrize("spans", [(), ((0.23, 0.24),), ((0.22, 0.24), (0.23, 0.24))])
def test_sizes_survive_with_the_edges_that_are_known(spans: tuple[tuple[float, float], ...]) -> None:
    sizes = ((NOW, 1.5), (NOW + 1, 2e12))
    assert samples_from_blob(samples_to_blob(sizes, spans)) == (sizes, spans)


def test_no_sizes_are_no_sizes() -> None:
    assert samples_from_blob(samples_to_blob((), ())) == ((), ())


async def test_the_latest_map_and_model_are_kept(db: Database) -> None:
    edges = np.linspace(1.0, 2.0, 3002)
    usd = np.random.default_rng(1).random(3001)
    reading = LiquidationMap(NOW, 1.5, edges[:-1], edges[1:], usd, usd[::-1], 9e6, 8e6, "measured", (MapLimit.GAPS,))
    assert await db.maps.load(ZRX) is None
    await db.maps.save(ZRX, map_from_blob(map_to_blob(reading)))
    loaded = await db.maps.load(ZRX)
    assert loaded is not None
    for name in LiquidationMap.__dataclass_fields__:
        assert np.array_equal(getattr(loaded, name), getattr(reading, name))
    assert await db.maps.load_model(ZRX) is None
    for version in ("1", "2"):
        await db.maps.save_model(ModelState(ZRX, version, NOW, b"\x00frozen"))
    assert await db.maps.load_model(ZRX) == ModelState(ZRX, "2", NOW, b"\x00frozen")
