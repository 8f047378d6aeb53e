"""A market driven into a cluster: what was foretold beside what came."""

from bot.evaluation.cascades import CascadeScore, cascade_score
from bot.evaluation.report import cascade_table


def test_the_true_positions_and_book_foretell_where_price_comes_to_rest() -> None:
    scores = [score for seed in range(3) if (score := cascade_score(seed, days=2)) is not None]
    assert len(scores) >= 2
    assert all(0.0 <= score.realised < 0.1 and score.least <= score.likely <= score.most for score in scores)
    # Nearer to what came than the forecast that nothing more happens.
    realised = sum(score.realised for score in scores)
    assert 0.0 < sum(abs(score.by_truth - score.realised) for score in scores) < realised


def test_the_same_seed_is_scored_the_same() -> None:
    assert cascade_score(2, days=1) == cascade_score(2, days=1)


def test_the_table_tells_each_forecast_s_median_error() -> None:
    scores = [
        CascadeScore(1, 0.01, 0.012, 0.0, 0.012, 0.02),
        CascadeScore(2, 0.02, 0.021, 0.004, 0.03, 0.05),
        CascadeScore(3, 0.03, 0.027, 0.002, 0.02, 0.029),
    ]
    lines = cascade_table(scores).splitlines()
    assert lines[0] == "## Ends of cascades, 3 markets; median way 2.00 %"
    assert lines[4:9] == [
        "|nothing more happens|2.00|-2.00|",
        "|chain, true positions|0.20|0.10|",
        "|chain, public map, least|1.60|-1.60|",
        "|chain, public map, middle|1.00|0.20|",
        "|chain, public map, most|1.00|1.00|",
    ]
    assert lines[-1] == "The band from least to most, within 0.05 % of price, held 2 of 3 ends."
