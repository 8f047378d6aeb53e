"""Figures that long simulations note, as tables at the end of `make soak`: also where workers ran them."""

from collections.abc import Callable, Mapping

import pytest

Note = Callable[[str, Mapping[str, float]], None]


@pytest.fixture
def note_figures(record_property: Callable[[str, object], None]) -> Note:
    """Note figures under a title; those of one title are added up."""

    def note(title: str, figures: Mapping[str, float]) -> None:
        record_property("figures", [title, dict(figures)])

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.option.markexpr != "soak":
        return
    tables: dict[str, dict[str, float]] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                if name == "figures":
                    table = tables.setdefault(value[0], {})
                    for row, figure in value[1].items():
                        table[row] = table.get(row, 0) + figure
    for title, table in tables.items():
        terminalreporter.section(title)
        for row, figure in table.items():
            terminalreporter.write_line(f"{figure:>12,.10g}  {row}")
