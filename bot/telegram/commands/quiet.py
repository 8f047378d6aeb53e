"""/quiet and /mute: when a chat wants no alert to ring. What comes meanwhile is held and told of afterwards."""

import re

from bot.alerts.manners import QuietHours
from bot.delivery.messenger import Button, Message
from bot.liquidation.values import replace
from bot.telegram.callbacks import key
from bot.telegram.desk import QuietView
from bot.telegram.scene import Answer, Scene, echo
from bot.telegram.texts import Html, Texts
from bot.telegram.texts.cities import zones_called
from bot.telegram.texts.figures import DAY_MS, HOUR_MS, MINUTE_MS
from bot.telegram.texts.zones import UnknownZoneError

OFF = frozenset({"off", "no", "none", "0", "stop"})
LONGEST_MUTE_MS = 30 * DAY_MS

_TIME = r"(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)?"
_HOURS = re.compile(rf"{_TIME}\s*(?:-|–|—|to)\s*{_TIME}(?:\s+(.*))?", re.IGNORECASE)
_CRITICAL = re.compile(r"\bcritical(?:\s+pass(?:es)?)?\b", re.IGNORECASE)
_SPAN = re.compile(r"(\d{1,3})\s*(m|min|minutes?|h|hr|hours?|d|days?)", re.IGNORECASE)
_UNITS_MS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}


async def typed_quiet(scene: Scene, text: str) -> Answer:
    """/quiet with what was typed after it: hours with a zone, `off`, or nothing."""
    typed = text.strip()
    if not typed:
        return await shown(scene)
    if typed.lower() in OFF:
        return await end_quiet(scene)
    known = await scene.desk.quiet(scene.chat)
    hours = read_hours(typed, zone=known.hours.zone if known.hours else scene.preferences.zone)
    if isinstance(hours, str):
        return Answer(Message(scene.texts(f"quiet.{hours}", typed=echo(typed))))
    named = zones_called(hours.zone, tuple(scene.catalogue.languages))
    try:
        await scene.desk.set_quiet(scene.chat, replace(hours, zone=named[0]) if len(named) == 1 else hours)
    except UnknownZoneError:
        return Answer(Message(scene.texts("quiet.unknown_zone", typed=echo(hours.zone))))
    return await shown(scene)


def read_hours(typed: str, *, zone: str) -> QuietHours | str:
    """Quiet hours as typed (`23-7 Europe/Berlin`, `22:30-6:15`, `11pm-7am UTC+2 critical passes`), or what is wrong.

    Where none is typed, `zone` is meant.
    """
    found = _HOURS.fullmatch(_CRITICAL.sub("", typed).strip())
    if found is None:
        return "not_understood"
    start, end = _minutes(*found.group(1, 2, 3)), _minutes(*found.group(4, 5, 6))
    if start is None or end is None or start == end:
        return "not_understood"
    zone = (found[7] or "").strip() or zone
    if not zone:
        return "which_zone"
    return QuietHours(start, end, zone, critical_passes=_CRITICAL.search(typed) is not None)


async def end_quiet(scene: Scene) -> Answer:
    """No quiet hours any more; what waited comes now."""
    await scene.desk.set_quiet(scene.chat, None)
    return await shown(scene)


async def critical(scene: Scene, *, passes: bool) -> Answer:
    """Let critical alerts ring in the quiet hours, or not."""
    view = await scene.desk.quiet(scene.chat)
    if view.hours is not None:
        await scene.desk.set_quiet(scene.chat, replace(view.hours, critical_passes=passes))
    return await shown(scene)


async def typed_mute(scene: Scene, text: str) -> Answer:
    """/mute with what was typed after it: a length of time, `off`, or nothing."""
    typed = text.strip()
    if not typed:
        return await shown(scene)
    if typed.lower() in OFF:
        return await mute(scene, 0)
    span_ms = read_span(typed)
    if span_ms is None:
        return Answer(Message(scene.texts("mute.not_understood", typed=echo(typed))))
    return await mute(scene, span_ms)


def read_span(typed: str) -> int | None:
    """A length of time in ms (`30m`, `8h`, `2 days`); None where it is none, or over thirty days."""
    found = _SPAN.fullmatch(typed.strip())
    if found is None:
        return None
    span_ms = int(found[1]) * _UNITS_MS[found[2][0].lower()]
    return span_ms if 0 < span_ms <= LONGEST_MUTE_MS else None


async def mute(scene: Scene, span_ms: int, *, fresh: bool = False) -> Answer:
    """Hold every alert of the chat for so long; 0 ends it, and what waited comes now."""
    span_ms = min(span_ms, LONGEST_MUTE_MS)
    await scene.desk.mute(scene.chat, scene.now_ms + span_ms if span_ms > 0 else 0)
    answer = await shown(scene)
    return replace(answer, toast=scene.texts.label("toast.muted" if span_ms > 0 else "toast.unmuted"), fresh=fresh)


async def shown(scene: Scene) -> Answer:
    """When this chat is silent, what waits for it, and the buttons that change it."""
    view, texts = await scene.desk.quiet(scene.chat), scene.texts
    lines = [_mute_line(view, scene), _hours_line(view, scene)]
    if view.held:
        since, until = (texts.figures.clock(ms, now_ms=scene.now_ms) for ms in (view.held_since_ms, view.held_until_ms))
        lines.append(texts("quiet.held", n=view.held, since=since, until=until))
    lines.append(texts("quiet.usage"))
    rows: list[tuple[Button, ...]]
    if view.muted_until_ms > scene.now_ms:
        rows = [(key(texts.label("button.unmute"), "qm", 0),)]
    else:
        rows = [tuple(key(texts.label("button.mute_for", span=_hours(scene, each)), "qm", each) for each in (1, 8, 24))]
    if view.hours is not None:
        passes = view.hours.critical_passes
        label = "button.critical_waits" if passes else "button.critical_passes"
        rows.append((key(texts.label(label), "qc", 0 if passes else 1), key(texts.label("button.quiet_off"), "qo")))
    rows.append((key(texts.label("button.settings_back"), "se"),))
    return Answer(Message(Html("\n".join(lines)), tuple(rows)))


def _hours(scene: Scene, hours: int) -> str:
    return scene.texts.figures.duration(hours * HOUR_MS)


def _mute_line(view: QuietView, scene: Scene) -> Html:
    if view.muted_until_ms <= scene.now_ms:
        return scene.texts("mute.off")
    return scene.texts("mute.on", until=scene.texts.figures.clock(view.muted_until_ms, now_ms=scene.now_ms))


def _hours_line(view: QuietView, scene: Scene) -> Html:
    texts, hours = scene.texts, view.hours
    if hours is None:
        return texts("quiet.off")
    words = texts("quiet.on", start=_wall(hours.start), end=_wall(hours.end), zone=hours.zone)
    parts = [words, texts("quiet.critical_passes" if hours.critical_passes else "quiet.critical_waits")]
    if view.quiet_until_ms > scene.now_ms:
        parts.append(texts("quiet.now", until=texts.figures.clock(view.quiet_until_ms, now_ms=scene.now_ms)))
    return texts.sentences(parts)


def settings_line(view: QuietView, texts: Texts) -> Html:
    """The quiet hours as one line of the settings."""
    if view.hours is None:
        return texts("settings.is.no_quiet")
    return texts("settings.is.quiet", start=_wall(view.hours.start), end=_wall(view.hours.end))


def _wall(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _minutes(hour: str, minute: str | None, half: str | None) -> int | None:
    """Minutes since midnight; None where no clock shows that."""
    hours, minutes = int(hour), int(minute or 0)
    if half is not None:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    if hours == 24 and minutes == 0:
        return 0
    return hours * 60 + minutes if hours < 24 and minutes < 60 else None
