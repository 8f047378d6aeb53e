"""What is known of how good a market's maps are, and how that is kept over a restart."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from bot.alerts.types import Market
from bot.liquidation import DEFAULT, Turnover
from bot.liquidation.skill import ModelSkill, Skill, Verdict
from bot.live_score import LEARNED, skill_from_plain
from bot.storage.briefs import StoredScore


@dataclass(frozen=True, slots=True)
class MarketSkill:
    """What is known of one market's maps, or with an empty symbol of all of an exchange's. `time_ms` is when.

    `skill` is None where nothing was scored yet, `turnover` where nothing was learned; `kappa` where nothing was
    printed. `shipped` names the model whose map is shown, chosen at `decided_ms`; `turnover` is the tuned prior's.
    """

    market: Market
    time_ms: int
    skill: Skill | None = None
    turnover: Turnover | None = None
    kappa: float | None = None
    shipped: str = LEARNED
    decided_ms: int = 0

    @property
    def score(self) -> ModelSkill | None:
        """The score of the map that is shown."""
        return None if self.skill is None else self.skill.model(self.shipped)

    @property
    def tells(self) -> bool:
        """Whether there are enough liquidations for a verdict."""
        return self.score is not None and self.score.verdict is not Verdict.TOO_FEW


def all_of(exchange: str) -> Market:
    """The name under which an exchange's markets are scored together."""
    return Market(exchange, "")


def stored_skill(skill: MarketSkill) -> StoredScore:
    """A market's skill as it is stored."""
    turnover = skill.turnover
    return StoredScore(
        skill.market,
        skill.time_ms,
        {
            "skill": None if skill.skill is None else skill.skill.plain(),
            "turnover": None
            if turnover is None
            else {
                "weights": turnover.weights.tolist(),
                "effective_events": turnover.effective_events,
                "trust": turnover.trust,
            },
            "kappa": skill.kappa,
            "shipped": skill.shipped,
            "decided_ms": skill.decided_ms,
        },
    )


def skill_of(stored: StoredScore) -> MarketSkill:
    """The market's skill behind a stored score. Raises KeyError, TypeError or ValueError on another version's."""
    plain = stored.payload
    skill = None if plain["skill"] is None else skill_from_plain(plain["skill"])
    if skill is not None:
        skill.model(plain["shipped"])
    return MarketSkill(
        market=stored.market,
        time_ms=stored.time_ms,
        skill=skill,
        turnover=None if plain["turnover"] is None else _turnover(plain["turnover"]),
        kappa=plain["kappa"],
        shipped=plain["shipped"],
        decided_ms=plain["decided_ms"],
    )


def _turnover(plain: Mapping[str, Any]) -> Turnover:
    weights = np.array(plain["weights"], dtype=np.float64)
    if weights.shape != np.shape(DEFAULT.turnover_prior) or not isfinite(float(weights.sum())):
        raise ValueError("other turnover rows")
    return Turnover(weights, float(plain["effective_events"]), float(plain["trust"]))
