"""/scan: all markets that are known, ranked by one of four orders, each one tap from a watch."""

from bot.delivery.messenger import Button, Keyboard, Message
from bot.liquidation.glance import Order
from bot.telegram.callbacks import key, market_arg
from bot.telegram.commands.maps import AGAIN
from bot.telegram.scan_text import scan_text
from bot.telegram.scene import Answer, Scene, echo, rows
from bot.telegram.survey import ScanView
from bot.telegram.table import columns_of
from bot.telegram.texts import Texts

USUAL = Order.NEAREST
ORDERS_A_ROW = 2
FOUR_COLUMNS = 8
"""What a phone shows of a key in a row of four."""


async def typed_scan(scene: Scene, text: str) -> Answer:
    """/scan with what was typed after it: the name of an order, or nothing."""
    if not text:
        return await scan_of(scene, USUAL)
    order = order_named(text)
    if order is None:
        names = ", ".join(order.value for order in Order)
        words = scene.texts("scan.unknown", typed=echo(text), orders=names)
        return Answer(Message(words, _order_keys(scene.texts, None)))
    return await scan_of(scene, order)


def order_named(text: str) -> Order | None:
    """The order that a word names, with or without a hyphen; None where it names none."""
    word = text.strip().lower().replace("-", "").replace(" ", "")
    return next((order for order in Order if word == order.value), None)


async def scan_of(scene: Scene, order: Order, page: int = 0, *, fresh: bool = True, again: bool = False) -> Answer:
    """One page of a scan; `again` is a refresh."""
    survey = scene.desk.survey()
    view = await survey.scan(order)
    page = min(page, view.pages - 1)
    drawn = await survey.scan_picture(view, page, look=scene.look) if view.lines else None
    photo, name = drawn or (None, None)
    text = scan_text(view, page, scene.texts, now_ms=scene.now_ms)
    toast = scene.texts.label("toast.refreshed") if again else ""
    return Answer(Message(text, _keys(view, page, scene.texts), photo=photo, photo_name=name), toast=toast, fresh=fresh)


async def tapped_scan(scene: Scene, order: str, page: int, *, again: bool) -> Answer:
    """Another order or page in place of the one that is shown."""
    return await scan_of(scene, order_named(order) or USUAL, page, fresh=False, again=again)


def _keys(view: ScanView, page: int, texts: Texts) -> Keyboard:
    """The orders, a watch for each market of the page, and the ways to the other pages."""
    turning: list[Button] = []
    if page > 0:
        turning.append(key(texts.label("button.earlier"), "sn", view.order.value, page - 1))
    turning.append(key(texts.label("button.refresh"), "sn", view.order.value, page, AGAIN))
    if page + 1 < view.pages:
        turning.append(key(texts.label("button.later"), "sn", view.order.value, page + 1))
    watches = [
        key(texts.label("scan.key.watch", base=line.base), "wn", market_arg(line.market)) for line in view.page(page)
    ]
    width = 4 if all(columns_of(button.text) <= FOUR_COLUMNS for button in watches) else 3
    return (*_order_keys(texts, view.order), *rows(watches, width), tuple(turning))


def _order_keys(texts: Texts, shown: Order | None) -> Keyboard:
    keys = []
    for order in Order:
        label = texts.label(f"scan.key.{order}")
        keys.append(key(texts.label("button.current", label=label) if order is shown else label, "sn", order.value, 0))
    return rows(keys, ORDERS_A_ROW)
