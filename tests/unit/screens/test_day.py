"""The scripted day shows everything there is to show."""

from bot.alerts.types import Kind
from bot.telegram.asking import COMMANDS
from tests.screens.__main__ import play
from tests.screens.day import DAY
from tests.screens.items import Said
from tests.screens.stage import open_stage


async def test_the_day_types_every_command_and_tells_of_every_kind_of_alert() -> None:
    async with open_stage("en") as stage:
        shown = [item for part in DAY for item in await play(stage, part)]
    assert set(COMMANDS) - stage.typed == set(), "add a step to tests/screens/day.py"
    assert set(Kind) - stage.told == set(), "add an alert to tests/screens/day.py"
    messages = [item for item in shown if isinstance(item, Said)]
    assert any(item.message.photo for item in messages)
    assert any(item.edited for item in messages)
    assert any(item.quote for item in messages)
    assert any(item.rings for item in messages)
