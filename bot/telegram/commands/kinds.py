"""What shall be told of a market? Each kind of alert as a button, in plain words, then how much of it."""

from bot.alerts.filters import DEFAULT_MIN_STRENGTH
from bot.alerts.grammar import ParseError, parse_watch
from bot.alerts.line_writer import plain
from bot.alerts.types import Kind, Market, Rule
from bot.delivery.messenger import Message
from bot.liquidation.values import replace
from bot.telegram.callbacks import key, market_arg
from bot.telegram.commands import watch
from bot.telegram.scene import Answer, Scene, base_name, rows
from bot.telegram.texts import Html
from bot.telegram.texts.figures import significant
from bot.telegram.venues import market_name

OFFERED = (
    Kind.PROXIMITY,
    Kind.GROWTH,
    Kind.NEW_CLUSTER,
    Kind.SWEPT,
    Kind.BREAKOUT,
    Kind.STOP_HUNT,
    Kind.CASCADE,
    Kind.FLIP,
    Kind.CONCENTRATION,
    Kind.EXPOSURE,
)
KINDS_A_ROW = 2
USUAL = {
    Kind.GROWTH: ("grow 30% 4h", "grow 20% 4h", "grow 10% 4h"),
    Kind.NEW_CLUSTER: ("new strength 90", "new strength 75", "new"),
    Kind.SWEPT: ("swept strength 90", "swept strength 75", "swept"),
    Kind.BREAKOUT: ("breakout strength 90", "breakout strength 75", "breakout"),
    Kind.STOP_HUNT: ("hunt strength 90", "hunt strength 75", "hunt"),
    Kind.CASCADE: ("cascade 99.9%", "cascade 99.5%", "cascade 99%"),
    Kind.FLIP: ("flip 30%", "flip 20%", "flip 10%"),
    Kind.CONCENTRATION: ("concentration 99.5%", "concentration 99%", "concentration 95%"),
}
"""Calm, normal and fast of each kind that compares no distance."""

CASUAL = ("calm", "normal", "fast")


async def menu(scene: Scene, market: Market) -> Answer:
    """The kinds of alert there are."""
    texts = scene.texts
    keys = [key(texts.label(f"kind_button.{kind}"), "wj", market_arg(market), kind.value) for kind in OFFERED]
    digest = key(texts.label("kind_button.digest"), "wt", "digest daily")
    back = key(texts.label("button.back"), "q", "wk", 0)
    text = texts("kinds.pick", base=market_name(scene, market, base_name(market)))
    return Answer(Message(text, (*rows(keys, KINDS_A_ROW), (digest, back))))


async def of_kind(scene: Scene, market: Market, name: str) -> Answer:
    """How much of one kind: calm, normal or fast, with what each means."""
    kind = next((each for each in OFFERED if each.value == name), None)
    if kind is None:
        return await menu(scene, market)
    if kind is Kind.PROXIMITY:
        return await watch.sensitivity_menu(scene, market)
    texts, base = scene.texts, market_name(scene, market, base_name(market))
    title = texts("watch.title", base=base)
    back = key(texts.label("button.back"), "wk", market_arg(market))
    if kind is Kind.EXPOSURE:
        view = await watch.look(scene, market)
        level = plain(float(significant(0.9 * view.price, 3))) if view else "85000"
        words = texts("kinds.exposure", line=f"/watch {base_name(market)} exposure long {level}")
        return Answer(Message(Html("\n\n".join([title, words])), ((back,),)))
    keys, lines, drafts = [], [], _drafts(scene, market, kind)
    for casual, rule in zip(CASUAL, drafts, strict=True):
        amount = _amount(rule, scene)
        label = texts.label(f"button.{casual}", percent=amount)
        keys.append(key(label, "wu", market_arg(market), kind.value, CASUAL.index(casual)))
        words = amount if rule.threshold_pct else texts("kinds.strength", strength=amount)
        lines.append(texts(f"kinds.{casual}", amount=words))
    about = texts(f"kinds.about.{kind}", window=texts.figures.duration(drafts[0].window_ms))
    return Answer(Message(Html("\n\n".join([title, about, Html("\n".join(lines))])), (tuple(keys), (back,))))


async def chosen(scene: Scene, market: Market, name: str, index: int) -> Answer:
    """Make the rule of a kind: calm, normal or fast. Raises TooManyRulesError."""
    kind = next((each for each in USUAL if each.value == name), None)
    if kind is None or index >= len(CASUAL):
        return await menu(scene, market)
    rule = _drafts(scene, market, kind)[index]
    return await watch.add(scene, replace(rule, chat=scene.chat, created_ms=scene.now_ms))


def _drafts(scene: Scene, market: Market, kind: Kind) -> list[Rule]:
    """The three usual rules of a kind."""
    read = (parse_watch(f"{market.symbol} {terms}", lambda _: market, now_ms=scene.now_ms) for terms in USUAL[kind])
    return [each[0] for each in read if not isinstance(each, ParseError)]


def _amount(rule: Rule, scene: Scene) -> Html:
    """What distinguishes the three: a percentage, or the strength from which a cluster counts."""
    if rule.threshold_pct:
        return Html(scene.texts.figures.exact_percent(rule.threshold_pct))
    return scene.texts("kinds.or_more", strength=str(rule.min_strength or DEFAULT_MIN_STRENGTH))
