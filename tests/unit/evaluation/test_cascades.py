"""A market driven into a cluster: what was foretold beside what came."""

from bot.evaluation.cascades import cascade_score


def test_the_true_positions_and_book_foretell_where_price_comes_to_rest() -> None:
    scores = [score for seed in range(3) if (score := cascade_score(seed, days=2)) is not None]
    assert len(scores) >= 2
    assert all(0.0 <= score.realised < 0.1 and score.by_map >= 0.0 for score in scores)
    # Nearer to what came than the forecast that nothing more happens.
    realised = sum(score.realised for score in scores)
    assert 0.0 < sum(abs(score.by_truth - score.realised) for score in scores) < realised


def test_the_same_seed_is_scored_the_same() -> None:
    assert cascade_score(2, days=1) == cascade_score(2, days=1)
