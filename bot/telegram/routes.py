"""Which function answers a command or a button: one line each."""

from collections.abc import Awaitable, Callable

from bot.alerts.types import Market
from bot.telegram.callbacks import SEPARATOR, Tap
from bot.telegram.commands import (
    admin,
    alert,
    cascade,
    clusters,
    heatmap,
    history,
    kinds,
    level_keys,
    maps,
    own_data,
    pick,
    places,
    pulse,
    quiet,
    rule_edit,
    rule_page,
    rules,
    scan,
    settings,
    stats,
    status,
    typed_rule,
    unwatch,
    watch,
    welcome,
    why,
    zone,
)
from bot.telegram.desk import Operator
from bot.telegram.scene import Answer, Scene
from bot.telegram.texts.figures import HOUR_MS

Answering = Awaitable[Answer] | Answer
OnCommand = Callable[[Scene, str], Answering]
OnMarket = Callable[[Scene, Market, Tap], Awaitable[Answer]]
OnTap = Callable[[Scene, Tap], Answering]
OnOperatorTap = Callable[[Scene, Operator, Tap], Awaitable[Answer]]

COMMANDS: dict[str, OnCommand] = {
    "start": welcome.start,
    "help": lambda scene, topic: welcome.help_answer(scene, topic.lower()),
    "watch": typed_rule.typed_watch,
    "rules": lambda scene, _: rules.rules_answer(scene),
    "edit": rule_edit.typed_edit,
    "unwatch": unwatch.typed_unwatch,
    "map": maps.typed_map,
    "heatmap": heatmap.typed_heatmap,
    "history": history.typed_history,
    "clusters": clusters.typed_clusters,
    "position": places.typed_position,
    "stop": places.typed_stop,
    "levels": places.typed_levels,
    "cascade": cascade.typed_cascade,
    "pulse": pulse.typed_pulse,
    "scan": scan.typed_scan,
    "stats": lambda scene, _: stats.stats_answer(scene),
    "quiet": quiet.typed_quiet,
    "mute": quiet.typed_mute,
    "why": why.typed_why,
    "mydata": lambda scene, _: own_data.my_data(scene),
    "forgetme": lambda scene, _: own_data.ask_to_forget(scene),
    "privacy": lambda scene, _: own_data.privacy(scene),
    "about": lambda scene, _: own_data.about(scene),
    "settings": settings.typed_settings,
    "status": lambda scene, _: status.status_answer(scene),
}
"""What may follow a slash, or begin a line without one."""

MARKET_TAPS: dict[str, OnMarket] = {
    "w": lambda scene, market, _: watch.sensitivity_menu(scene, market),
    "wn": lambda scene, market, _: watch.sensitivity_menu(scene, market, fresh=True),
    "wp": lambda scene, market, tap: watch.tapped_percent(scene, market, tap.arg(1)),
    "wk": lambda scene, market, _: kinds.menu(scene, market),
    "wj": lambda scene, market, tap: kinds.of_kind(scene, market, tap.arg(1)),
    "wu": lambda scene, market, tap: kinds.chosen(scene, market, tap.arg(1), tap.number(2)),
    "lw": lambda scene, market, tap: level_keys.chosen(scene, market, tap.arg(1), tap.arg(2), tap.arg(3)),
    "pm": lambda scene, market, tap: rule_edit.move(scene, tap.number(1), market),
    "pn": lambda scene, market, tap: rule_edit.copy(scene, market, tap.number(1)),
    "t": lambda scene, market, _: watch.sample(scene, market),
    "m": lambda scene, market, tap: maps.map_of(scene, market, tap.arg(1)),
    "mn": lambda scene, market, tap: maps.map_of(scene, market, tap.arg(1)),
    "mr": lambda scene, market, tap: maps.map_of(
        scene, market, tap.arg(1), fresh=False, again=tap.arg(2) == maps.AGAIN
    ),
    "ml": lambda scene, market, tap: maps.map_of(
        scene, market, tap.arg(1), fresh=False, again=tap.arg(2) == maps.AGAIN, by_leverage=True
    ),
    "hm": lambda scene, market, tap: heatmap.heatmap_of(scene, market, tap.arg(1)),
    "hr": lambda scene, market, tap: heatmap.heatmap_of(
        scene, market, tap.arg(1), fresh=False, again=tap.arg(2) == maps.AGAIN
    ),
    "li": lambda scene, market, tap: history.history_of(scene, market, tap.arg(1)),
    "lr": lambda scene, market, tap: history.history_of(
        scene, market, tap.arg(1), fresh=False, again=tap.arg(2) == maps.AGAIN
    ),
    "c": lambda scene, market, tap: clusters.clusters_of(scene, market, tap.arg(1)),
    "lv": lambda scene, market, _: places.levels_answer(scene, market),
    "ca": lambda scene, market, _: cascade.cascade_answer(scene, market),
    "pu": lambda scene, market, _: pulse.pulse_of(scene, market),
    "pr": lambda scene, market, _: pulse.pulse_of(scene, market, fresh=False),
    "yb": lambda scene, market, _: why.why_market(scene, market),
    "cr": lambda scene, market, tap: clusters.clusters_of(scene, market, tap.arg(1), fresh=False),
}
"""Verbs whose first argument is a market."""

SHOWING = frozenset({"m", "mn", "mr", "ml", "hm", "hr", "li", "lr", "c", "cr", "lv", "ca", "pu", "pr"})
"""Verbs that show a market: of all exchanges, where the button names none."""

TAPS: dict[str, OnTap] = {
    "p": lambda scene, tap: rule_page.page(scene, tap.number(0)),
    "pf": lambda scene, tap: rule_page.page(scene, tap.number(0), fresh=True),
    "pp": lambda scene, tap: rule_page.parameter_page(scene, tap.number(0), tap.arg(1)),
    "pc": lambda scene, tap: rule_page.custom_page(scene, tap.number(0), tap.arg(1)),
    "pe": lambda scene, tap: rule_edit.tapped_edit(scene, tap.number(0), SEPARATOR.join(tap.args[1:])),
    "pz": lambda scene, tap: rule_edit.snooze(scene, tap.number(0), tap.arg(1)),
    "ph": lambda scene, tap: rule_edit.pause(scene, tap.number(0)),
    "po": lambda scene, tap: places.typed_position(scene, SEPARATOR.join(tap.args)),
    "sp": lambda scene, tap: places.typed_stop(scene, SEPARATOR.join(tap.args)),
    "wt": lambda scene, tap: typed_rule.typed_watch(scene, SEPARATOR.join(tap.args)),
    "s": lambda scene, tap: watch.change_percent(scene, tap.number(0), tap.arg(1)),
    "u": lambda scene, tap: unwatch.restore(scene, [tap.number(0)]),
    "ub": lambda scene, tap: unwatch.restore(scene, unwatch.ids_of(tap.arg(0))),
    "us": lambda scene, tap: unwatch.of_market(scene, tap.arg(0)),
    "um": lambda scene, tap: unwatch.delete_many(scene, tap.arg(0)),
    "x": lambda scene, tap: unwatch.delete(scene, tap.number(0), fresh=True),
    "xe": lambda scene, tap: unwatch.delete(scene, tap.number(0)),
    "r": lambda scene, tap: rules.rules_answer(scene, tap.number(0)),
    "rx": lambda scene, tap: rules.delete_in_list(scene, tap.number(0), tap.number(1)),
    "ru": lambda scene, tap: rules.restore_in_list(scene, tap.number(0), tap.number(1)),
    "rs": lambda scene, tap: rules.snooze_in_list(scene, tap.number(0), tap.number(1)),
    "rw": lambda scene, tap: rules.snooze_in_list(scene, tap.number(0), tap.number(1), wake=True),
    "pa": lambda scene, _: pulse.pulse_of_all(scene, fresh=False),
    "sn": lambda scene, tap: scan.tapped_scan(scene, tap.arg(0), tap.number(1), again=tap.arg(2) == maps.AGAIN),
    "fy": lambda scene, _: own_data.forget(scene),
    "se": lambda scene, _: settings.settings_answer(scene),
    "sg": lambda scene, tap: settings.opened(scene, tap.arg(0)),
    "ss": lambda scene, tap: settings.choose(scene, tap.arg(0), tap.arg(1)),
    "sz": lambda scene, tap: zone.keep_zone(scene, tap.arg(0)),
    "sa": lambda scene, _: stats.stats_answer(scene, fresh=False),
    "st": lambda scene, _: status.status_answer(scene, fresh=False),
    "z": lambda scene, tap: rules.snooze_from_alert(scene, tap.number(0), hours=tap.number(1) or 1),
    "mu": lambda scene, tap: quiet.mute(scene, tap.number(0) * HOUR_MS, fresh=True),
    "qm": lambda scene, tap: quiet.mute(scene, tap.number(0) * HOUR_MS),
    "qo": lambda scene, _: quiet.end_quiet(scene),
    "qc": lambda scene, tap: quiet.critical(scene, passes=bool(tap.number(0))),
    "a": lambda scene, _: alert.refresh(scene),
    "y": lambda scene, _: why.why_message(scene, scene.inbound.message_id or 0, fresh=True),
    "zw": lambda scene, tap: rules.wake(scene, tap.number(0)),
    "e": lambda scene, tap: rules.renew(scene, tap.number(0), tap.number(1)),
    "h": lambda scene, tap: welcome.help_answer(scene, tap.arg(0)),
    "n": lambda scene, _: pick.pick(scene, "wk"),
    "q": lambda scene, tap: pick.turned(scene, tap.arg(0), tap.number(1), *tap.args[2:]),
    "ua": lambda scene, _: unwatch.delete_many(scene, None),
    "uk": lambda scene, _: unwatch.kept(scene),
    "fn": lambda scene, _: own_data.not_forgotten(scene),
    "rn": lambda scene, _: rules.rules_answer(scene, fresh=True),
}
"""Verbs with other arguments, or none."""

OPERATOR_TAPS: dict[str, OnOperatorTap] = {
    "ad": lambda scene, operator, _: admin.admin_answer(scene, operator, fresh=False),
    "aq": lambda scene, operator, tap: admin.requeue(scene, operator, tap.number(0)),
    "ab": lambda scene, operator, tap: admin.confirm(scene, operator, tap.number(0)),
    "ac": lambda scene, operator, tap: admin.cancel(scene, operator, tap.number(0)),
}
"""Verbs of those who run the bot."""
