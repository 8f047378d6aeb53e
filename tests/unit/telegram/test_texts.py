"""The catalogue against the code that uses it, and what it does with what people type."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.grammar import ErrorCode
from bot.alerts.types import Phase
from bot.alerts.verdicts import BREAKER
from bot.telegram.asking import COMMANDS
from bot.telegram.limits import bare
from bot.telegram.texts import Catalogue, CatalogueError, Html, Texts, escape, fields, read_texts, seen, sound

BOT = Path(__file__).resolve().parents[3] / "bot"
CATALOGUE = Catalogue.load()
ENGLISH = CATALOGUE.texts("en")
LANGUAGES = list(CATALOGUE.languages.values())
SPREAD = "**"
"""Stands for fields that a call spreads from a mapping: which those are, its own tests tell."""

OWN_USE = ("money.", "sentence.")
"""Families that the catalogue itself reads."""


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(BOT.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def is_texts(node: ast.expr) -> bool:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name in {"texts", "_texts"}


def calls() -> Iterator[tuple[str, str, list[str], set[str]]]:
    """(where, how, literal keys or families, keywords) of each call of `texts(...)`, `.label(...)` and `.of(...)`.

    `catalogue.texts("en")` looks the same, but a language has no dot.
    """
    for path, tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            function = node.func
            how = "html" if is_texts(function) else ""
            if isinstance(function, ast.Attribute) and function.attr in {"label", "of"} and is_texts(function.value):
                how = function.attr
            if not how:
                continue
            keys = [
                part.value
                for part in (
                    [node.args[0].body, node.args[0].orelse] if isinstance(node.args[0], ast.IfExp) else node.args[:1]
                )
                if isinstance(part, ast.Constant)
                and isinstance(part.value, str)
                and (how != "html" or "." in part.value)
            ]
            yield f"{path.name}:{node.lineno}", how, keys, {word.arg or SPREAD for word in node.keywords}


def placeholders(texts: Texts, key: str) -> set[str]:
    return set().union(*(fields(form) for form in texts.entries[key].values()))


def test_every_key_that_the_code_names_exists() -> None:
    found = 0
    for where, how, keys, _ in calls():
        for key in keys:
            found += 1
            if how == "of":
                assert any(entry.startswith(f"{key}.") for entry in ENGLISH.entries), f"{where}: no family {key}"
            else:
                assert key in ENGLISH.entries, f"{where}: no key {key}"
    assert found > 100


def test_every_call_gives_exactly_the_fields_its_text_has() -> None:
    for where, how, keys, given_fields in calls():
        for key in keys if SPREAD not in given_fields else ():
            if how == "of":
                needed = set().union(
                    *(placeholders(ENGLISH, entry) for entry in ENGLISH.entries if entry.rpartition(".")[0] == key)
                )
            else:
                needed = placeholders(ENGLISH, key)
                if set(ENGLISH.entries[key]) != {"other"}:
                    needed.add("n")
            assert given_fields == needed, f"{where}: {key} needs {sorted(needed)}"


def test_every_key_of_the_catalogue_is_used() -> None:
    literals: set[str] = set()
    families: set[str] = set()
    for _, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                literals.add(node.value)
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                families.add(str(node.values[0].value))
    families |= {f"{key}." for _, how, keys, _ in calls() if how == "of" for key in keys}
    unused = [
        key for key in ENGLISH.entries if key not in literals and not key.startswith((*OWN_USE, *sorted(families)))
    ]
    assert unused == []


def test_labels_for_buttons_and_toasts_hold_no_markup() -> None:
    for where, how, keys, _ in calls():
        for key in keys if how == "label" else []:
            for form in ENGLISH.entries[key].values():
                assert bare(form) == form, f"{where}: {key} is shown as it is"


@pytest.mark.parametrize("texts", LANGUAGES, ids=lambda texts: texts.language)
def test_every_language_has_the_same_keys_and_fields(texts: Texts) -> None:
    assert set(texts.entries) == set(ENGLISH.entries)
    for key in texts.entries:
        assert placeholders(texts, key) == placeholders(ENGLISH, key), key


@pytest.mark.parametrize("texts", LANGUAGES, ids=lambda texts: texts.language)
def test_no_text_gives_advice_or_uses_a_forbidden_word(texts: Texts) -> None:
    for key, forms in texts.entries.items():
        for form in forms.values():
            for word in ("magnet", "whale", "signal", "you should", "buy", "sell", "guarantee"):
                assert word not in form.lower(), key
            assert "TODO" not in form, key  # "todo" is a word in Spanish and Portuguese


def test_every_fault_of_the_grammar_has_its_sentence() -> None:
    for code in set(ErrorCode) - {ErrorCode.EMPTY, ErrorCode.UNKNOWN_SYMBOL}:
        assert f"error.watch.{code}" in ENGLISH.entries


def test_every_phase_pause_and_command_has_its_words() -> None:
    assert {f"state.{phase}" for phase in Phase} <= set(ENGLISH.entries)
    assert f"paused.{BREAKER}" in ENGLISH.entries
    assert {f"command.{name}" for name in COMMANDS} <= set(ENGLISH.entries)


def test_what_is_inserted_is_escaped_unless_it_is_html_already() -> None:
    hostile = ENGLISH("error.unknown_symbol", typed="<b>&amp;</b>")
    assert "<b>&lt;b&gt;&amp;amp;&lt;/b&gt;</b>" in hostile
    assert "<i>words</i>" in ENGLISH("alert.head", text=Html("<i>words</i>"))


def test_a_label_shows_what_was_inserted_as_it_was_typed() -> None:
    assert ENGLISH.label("button.watch_of", base="A&B<C") == "Watch A&B<C"


def test_plurals_follow_the_number() -> None:
    assert bare(ENGLISH("unwatch.deleted", n=1)) == "1 rule deleted."
    assert bare(ENGLISH("unwatch.deleted", n=1200)) == "1,200 rules deleted."


def test_an_unknown_member_of_a_family_falls_back() -> None:
    assert ENGLISH.of("unavailable", "moonquake") == ENGLISH("unavailable.other")


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        ENGLISH("no.such.key")


def test_half_surrogates_and_control_characters_do_not_survive() -> None:
    assert escape("a\ud800b\u202ec\x00\nd") == "a?bcd"


def test_what_is_stored_of_a_typed_text_holds_nothing_that_a_database_refuses() -> None:
    assert [seen(text) for text in ("a\0b ", "\0", "\ud83d\0é")] == ["ab", "", "?é"]
    assert sound("p|\0") == "p|"


@given(st.text())
def test_any_typed_text_becomes_safe_html(typed: str) -> None:
    safe = escape(typed)
    safe.encode("utf-8")
    assert "<" not in safe
    assert escape(bare(safe)) == safe


@pytest.mark.parametrize(
    ("language", "found"), [("en", "en"), ("en-US", "en"), ("EN_gb", "en"), (None, "en"), ("tlh", "en"), ("", "en")]
)
def test_a_client_language_finds_its_texts(language: str | None, found: str) -> None:
    assert CATALOGUE.texts(language).language == found


def test_a_regional_language_finds_its_root() -> None:
    portuguese = Texts("pt", ENGLISH.entries)
    catalogue = Catalogue({"en": ENGLISH, "pt": portuguese})
    assert catalogue.texts("pt-br") is portuguese


def test_a_template_with_anything_but_plain_fields_is_refused(tmp_path: Path) -> None:
    source = (BOT / "telegram" / "texts" / "en.toml").read_text(encoding="utf-8")
    (tmp_path / "en.toml").write_text(source + '\n[extra]\nbad = "{value!r}"\n', encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"en\.toml: extra\.bad"):
        read_texts(tmp_path / "en.toml")


def test_english_alone_is_the_catalogues_english() -> None:
    assert Catalogue.english().entries == ENGLISH.entries
