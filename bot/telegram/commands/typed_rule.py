"""A rule typed in one line: made at once after /watch, offered as plain text, explained where it is wrong."""

from bot.alerts.grammar import NORMAL_GROWTH_PCT, NORMAL_PCT, NORMAL_WINDOW_MINUTES, ErrorCode, ParseError, parse_watch
from bot.alerts.types import EVERYWHERE, Kind, Market, Rule
from bot.delivery.messenger import Keyboard, Message
from bot.liquidation.values import replace
from bot.telegram.callbacks import key, market_arg
from bot.telegram.commands import maps, rule_edit, watch, welcome
from bot.telegram.commands.faults import example_words, fault_words
from bot.telegram.commands.line import by_the_clock, line_of
from bot.telegram.commands.pick import pick
from bot.telegram.desk import MarketUnavailableError
from bot.telegram.limits import bare
from bot.telegram.scene import CHIPS_A_ROW, Answer, Scene, base_name, chips, echo, rows, unknown_symbol
from bot.telegram.sensitivity import sensitivity
from bot.telegram.texts import Html
from bot.telegram.texts.figures import MINUTE_MS
from bot.telegram.venues import exchange_name, market_name
from bot.telegram.wording import rule_brief, rule_words


async def typed_watch(scene: Scene, text: str) -> Answer:
    """/watch with what was typed after it. Raises TooManyRulesError."""
    if not text:
        return pick(scene, "wk")
    if (numbered := rule_edit.NUMBERED.fullmatch(text)) is not None:
        return await rule_edit.numbered(scene, int(numbered[1]), numbered[2])
    read = await read_rule(scene, text)
    return await explain(scene, text, read) if isinstance(read, ParseError) else await watch.add(scene, read)


async def plain_text(scene: Scene, text: str) -> Answer:
    """A line without a command: a symbol shows its map, a rule is offered, anything else gets a hint."""
    resolution = scene.resolve(text)
    if resolution.shown is not None:
        return await maps.map_of(scene, resolution.shown)
    head, _, last = text.rpartition(" ")
    if last.lower() in maps.RANGES and scene.resolve(head).market is not None:
        return await maps.typed_map(scene, text)
    read = await read_rule(scene, text)
    if not isinstance(read, ParseError):
        return offer(scene, read)
    if read.code is not ErrorCode.UNKNOWN_SYMBOL:
        return await explain(scene, text, read)
    if len(text.split()) == 1:
        return unknown_symbol(scene, text, resolution.nearest, "mn")
    if any(character.isdigit() for character in text):
        return await explain(scene, text, read)
    return welcome.not_understood(scene)


async def can_read(scene: Scene, text: str) -> bool:
    """Whether a line without a command is a symbol or a whole rule."""
    try:
        symbol = scene.resolve(text).shown is not None
        return symbol or not isinstance(await read_rule(scene, text), ParseError)
    except MarketUnavailableError:
        return False


async def read_rule(scene: Scene, text: str) -> Rule | ParseError:
    """The rule a line asks for; where it names no distance, the market's Normal one."""

    def resolve(typed: str) -> Market | None:
        return scene.resolve(typed).market

    def parsed(normal_pct: float) -> Rule | ParseError:
        def read(offset_ms: int) -> Rule | ParseError:
            found = parse_watch(text, resolve, normal_pct=normal_pct, now_ms=scene.now_ms, offset_ms=offset_ms)
            return found if isinstance(found, ParseError) else found[0]

        return by_the_clock(scene, read)

    rule = parsed(NORMAL_PCT)
    if isinstance(rule, ParseError):
        return rule
    if rule.market != EVERYWHERE:
        view = await watch.look(scene, rule.market)
        fitted = parsed(sensitivity(view.daily_move_pct if view else None).normal_pct)
        rule = rule if isinstance(fitted, ParseError) else fitted
    return replace(rule, chat=scene.chat, created_ms=scene.now_ms)


def offer(scene: Scene, rule: Rule) -> Answer:
    """A rule that came without /watch: asked for before it is made."""
    texts, line = scene.texts, line_of(scene, rule)
    yes = key(texts.label("button.watch_this"), "wt", line)
    if rule.market == EVERYWHERE:
        return Answer(Message(texts("watch.offer_digest", rule=rule_words(rule, texts)), ((yes,),)))
    name = market_name(scene, rule.market, base_name(rule.market))
    words = texts("watch.offer", base=name, rule=rule_words(rule, texts))
    if len((yes.data or "").encode()) > scene.data_bytes:
        return Answer(Message(Html("\n".join([words, texts("watch.offer_long", line=line)]))))
    look = key(texts.label("button.map_of", base=base_name(rule.market)), "m", market_arg(rule.market))
    return Answer(Message(words, ((yes, look),)))


async def explain(scene: Scene, text: str, error: ParseError) -> Answer:
    """What is wrong with a line, an example that is right, and buttons that go on."""
    if error.code is ErrorCode.EMPTY:
        return pick(scene, "wk")
    if error.code is ErrorCode.UNKNOWN_SYMBOL:
        return _other_symbol(scene, text, error)
    market = _market_so_far(scene, error)
    if market == EVERYWHERE:
        example = scene.texts("example.digest")
        order = key(scene.texts.label("button.order_digest"), "wt", "digest daily")
        return Answer(Message(Html("\n".join([fault_words(error, scene.texts), example])), ((order,),)))
    named = market if market is not None else Market("", scene.desk.popular()[0])
    words = [fault_words(error, scene.texts), example_words(error, base_name(named), scene.texts)]
    buttons: Keyboard = chips(scene.desk.popular(), "w")
    if market is not None and error.code in (ErrorCode.GROWTH_RANGE, ErrorCode.WINDOW_RANGE):
        growth = Rule(0, scene.chat, market, Kind.GROWTH, NORMAL_GROWTH_PCT, NORMAL_WINDOW_MINUTES * MINUTE_MS)
        buttons = ((key(bare(rule_brief(growth, scene.texts)), "wt", line_of(scene, growth)),),)
    elif market is not None:
        view = await watch.look(scene, market)
        buttons = watch.distance_keys(scene, market, sensitivity(view.daily_move_pct if view else None))
    return Answer(Message(Html("\n".join(words)), buttons))


def _market_so_far(scene: Scene, error: ParseError) -> Market | None:
    """The market that the understood part of a line names: of its beginning, as far as that is whole."""
    words = str(error.values.get("understood", "")).split()
    for count in range(len(words), 0, -1):
        read = parse_watch(" ".join(words[:count]), lambda typed: scene.resolve(typed).market, now_ms=scene.now_ms)
        if not isinstance(read, ParseError):
            return read[0].market
    return None


def _other_symbol(scene: Scene, text: str, error: ParseError) -> Answer:
    """The nearest symbols as buttons, each carrying the rest of the line with it."""
    word, named = str(error.values.get("word", "")), str(error.values.get("understood", ""))
    if named and scene.resolve(word).market is not None:
        return _other_exchange(scene, word, named, text[error.position :])
    near = scene.resolve(word).nearest
    before, after = text[: error.position], text[error.position + len(word) :]
    answer = unknown_symbol(scene, word, near, "w")
    if not after.strip() or answer.message is None:
        return answer
    lines = [(symbol, f"{before}{symbol}{after}") for symbol in near or scene.desk.popular()]
    keys = [key(base_name(Market("", symbol)), "wt", line) for symbol, line in lines]
    if any(len((each.data or "").encode()) > scene.data_bytes for each in keys):
        return answer
    return Answer(replace(answer.message, buttons=rows(keys, CHIPS_A_ROW)))


def _other_exchange(scene: Scene, word: str, exchange: str, line: str) -> Answer:
    """The symbol is known, but not on the exchange that was named: the same line without it."""
    texts = scene.texts
    text = texts("error.not_listed", typed=echo(word), exchange=exchange_name(exchange.lower(), texts))
    here = key(texts.label("button.watch_of", base=echo(word).upper()), "wt", line)
    fits = len((here.data or "").encode()) <= scene.data_bytes
    return Answer(Message(text, ((here,),) if fits else chips(scene.desk.popular(), "w")))
