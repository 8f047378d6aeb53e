"""Poisson regression with a ridge, for counts that are mostly zero."""

import numpy as np

from bot.liquidation.types import Floats

STEPS = 60
FARTHEST = 30.0


def fit_poisson(design: Floats, events: Floats, ridge: Floats) -> Floats:
    """Coefficients (p,) of ln E[events] = design @ coefficients, by Newton steps that never lose likelihood.

    `design` (n, p), `events` (n,) at least 0, `ridge` (p,) is the penalty on each squared coefficient, halved.
    """
    coefficients = np.zeros(design.shape[1])
    coefficients[0] = np.log(max(float(events.mean()), 1e-9))
    best = _loss(design, events, ridge, coefficients)
    for _ in range(STEPS):
        expected = np.exp(_bounded(design @ coefficients))
        gradient = design.T @ (events - expected) - ridge * coefficients
        curvature = (design * expected[:, None]).T @ design + np.diag(ridge + 1e-9)
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while (loss := _loss(design, events, ridge, coefficients + size * step)) > best and size > 1e-6:
            size /= 2.0
        if loss > best - 1e-9 * (1.0 + abs(best)):
            break
        coefficients, best = coefficients + size * step, loss
    return coefficients


def expected_events(design: Floats, coefficients: Floats) -> Floats:
    """The fitted means, (n,)."""
    means: Floats = np.exp(_bounded(design @ coefficients))
    return means


def deviance(events: Floats, expected: Floats) -> Floats:
    """Each row's Poisson deviance, (n,): 2 (y ln(y / mu) - (y - mu))."""
    positive = np.where(events > 0, events, 1.0)
    rows: Floats = 2.0 * (np.where(events > 0, events * np.log(positive / expected), 0.0) - (events - expected))
    return rows


def _loss(design: Floats, events: Floats, ridge: Floats, coefficients: Floats) -> float:
    linear = _bounded(design @ coefficients)
    return float(np.exp(linear).sum() - events @ linear + 0.5 * ridge @ coefficients**2)


def _bounded(linear: Floats) -> Floats:
    bounded: Floats = np.minimum(np.maximum(linear, -FARTHEST), FARTHEST)
    return bounded
