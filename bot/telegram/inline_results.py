"""What the bot offers where somebody types its name in any chat: maps as pictures, or in words, with links to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResult,
    InlineQueryResultArticle,
    InlineQueryResultCachedPhoto,
    InputTextMessageContent,
    LinkPreviewOptions,
)
from telegram.constants import ParseMode

from bot.alerts.types import Market
from bot.telegram.callbacks import market_arg
from bot.telegram.deep_links import MAP, WATCH, market_payload, start_link
from bot.telegram.limits import CAPTION_UNITS, TEXT_UNITS, bare, shorten, shorten_html
from bot.telegram.texts import Texts

_TITLE_UNITS = 60
_DESCRIPTION_UNITS = 120
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to share of a market: its text in HTML, and a picture that the server has, where there is one."""

    market: Market
    base: str
    title: str
    text: str
    file_id: str | None = None


def results_of(offers: Sequence[Offer], texts: Texts, *, bot_name: str | None) -> list[InlineQueryResult]:
    """One result for each offer, each with links that open the bot at its market."""
    return [_result(offer, texts, bot_name) for offer in offers]


def _result(offer: Offer, texts: Texts, bot_name: str | None) -> InlineQueryResult:
    first = bare(offer.text).partition("\n")[0]
    title, description = shorten(offer.title, _TITLE_UNITS), shorten(first, _DESCRIPTION_UNITS)
    name = sha256(f"{offer.title}|{offer.text}".encode()).hexdigest()[:32]
    keys = _links(offer, texts, bot_name)
    if offer.file_id is not None:
        return InlineQueryResultCachedPhoto(
            name,
            offer.file_id,
            title=title,
            description=description,
            caption=shorten_html(offer.text, CAPTION_UNITS),
            parse_mode=ParseMode.HTML,
            reply_markup=keys,
        )
    content = InputTextMessageContent(
        shorten_html(offer.text, TEXT_UNITS), parse_mode=ParseMode.HTML, link_preview_options=_NO_PREVIEW
    )
    return InlineQueryResultArticle(name, title, content, reply_markup=keys, description=description)


def _links(offer: Offer, texts: Texts, bot_name: str | None) -> InlineKeyboardMarkup | None:
    if bot_name is None:
        return None
    market = market_arg(offer.market)
    watch = texts.label("button.watch_of", base=offer.base)
    row = [
        InlineKeyboardButton(texts.label("button.map"), url=start_link(bot_name, market_payload(MAP, market))),
        InlineKeyboardButton(watch, url=start_link(bot_name, market_payload(WATCH, market))),
    ]
    return InlineKeyboardMarkup([row])
