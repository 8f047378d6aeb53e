"""Settings: defaults, lists, and one clear sentence for each wrong value."""

import re
from pathlib import Path

import pytest

from bot.settings import TAKES, Settings, SettingsError, load_settings, with_password

TOKEN = "123456789:" + "A" * 35


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def test_defaults_need_no_environment() -> None:
    settings = load_settings()
    assert settings.telegram_bot_token is None
    assert settings.exchanges == ("binance",)
    assert settings.database_url == "sqlite:///liqwatch.db"


def test_every_exchange_can_be_named_and_the_order_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGES", "hyperliquid, okx,bybit,binance")
    assert load_settings().exchanges == ("hyperliquid", "okx", "bybit", "binance")


def test_dotenv_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ADMIN_IDS=1, 22\nLOG_LEVEL=debug\n", encoding="utf-8")
    settings = load_settings()
    assert settings.admin_ids == (1, 22)
    assert settings.log_level == "DEBUG"


def test_token_comes_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n", encoding="utf-8")
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN_FILE", str(tmp_path / "token"))
    token = load_settings().telegram_bot_token
    assert token is not None
    assert token.get_secret_value() == TOKEN


def test_an_empty_value_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "")
    assert load_settings().telegram_bot_token is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEGRAM_BOT_TOKEN", "nonsense"),
        ("TELEGRAM_BOT_TOKEN", "123456789:" + "A" * 30 + "!"),
        ("TELEGRAM_BOT_TOKEN_FILE", "/no/such/file"),
        ("TELEGRAM_API_URL", "telegram"),
        ("DATABASE_URL", "mysql://x"),
        ("EXCHANGES", "binance,mtgox"),
        ("EXCHANGES", ","),
        ("EXCHANGES", "bybit,bybit"),
        ("BINANCE_API_URL", "ftp://x"),
        ("BYBIT_API_URL", "api.bybit.com"),
        ("OKX_API_URL", "wss://www.okx.com"),
        ("HYPERLIQUID_API_URL", "https://"),
        ("BINANCE_STREAM_URL", "https://x"),
        ("BYBIT_STREAM_URL", "stream.bybit.com"),
        ("OKX_STREAM_URL", "wss://"),
        ("ADMIN_IDS", "me"),
        ("ACCESS", "closed"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("RULES_PER_CHAT", "0"),
        ("COMMANDS_PER_MINUTE", "many"),
        ("TICK_SECONDS", "nan"),
        ("HISTORY_DAYS", "31"),
        ("PUBLIC_CHANNELS", "BTC"),
        ("PUBLIC_CHANNELS", "BTC:btczones"),
        ("PUBLIC_CHANNELS", "BTC:@ok_name,ETH:-42"),
        ("ADMIN_ERRORS", "all"),
        ("WARM_SYMBOLS", "-1"),
        ("WARM_SYMBOLS", "most"),
    ],
)
def test_a_wrong_value_names_its_variable_and_what_it_takes(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == f"{name} takes {TAKES[name.lower()]}"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("value", "count"), [("0", 0), ("250", 250), ("all", 5000), (" ALL ", 5000)])
def test_how_many_contracts_are_kept_is_a_number_or_all(
    value: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARM_SYMBOLS", value)
    assert load_settings().warm_symbols == count


def test_a_wrong_token_is_not_repeated_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TOKEN + "!")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "AAAA" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_the_token_does_not_show_in_the_settings_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", TOKEN)
    assert TOKEN not in repr(load_settings())


def test_every_setting_is_explained_in_the_example_file() -> None:
    example = (Path(__file__).resolve().parents[2] / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?\s?([A-Z_]+)=", example, flags=re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}
    assert set(TAKES) == set(Settings.model_fields)


def test_addresses_come_as_words_or_as_the_lines_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = "0x" + "a1" * 20, "0x" + "0F" * 20
    monkeypatch.setenv("HYPERLIQUID_ADDRESSES", f"{one}, {two},{one.upper().replace('0X', '0x')}")
    assert load_settings().hyperliquid_addresses == (one, two.lower())
    path = tmp_path / "addresses.txt"
    path.write_text(f"# whales\n{one} the big one\n\n{two}\n", encoding="utf-8")
    monkeypatch.setenv("HYPERLIQUID_ADDRESSES", str(path))
    assert load_settings().hyperliquid_addresses == (one, two.lower())


@pytest.mark.parametrize(
    "wrong", ["0x12", "nowhere.txt", "0x" + "g" * 40, ",".join(f"0x{n:040x}" for n in range(2001))]
)
def test_a_wrong_address_stops_the_start_and_is_not_repeated(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERLIQUID_ADDRESSES", wrong)
    with pytest.raises(SettingsError, match="HYPERLIQUID_ADDRESSES takes up to 2000 addresses of 0x") as caught:
        load_settings()
    assert wrong not in str(caught.value)


def test_a_password_is_written_into_an_address_and_shown_nowhere() -> None:
    url = with_password("postgresql+psycopg://liqwatch@db:5432/liqwatch", "p@ss/w:rd")
    assert url == "postgresql+psycopg://liqwatch:p%40ss%2Fw%3Ard@db:5432/liqwatch"
    shown = Settings.model_construct(database_url=url).database_name
    assert shown == "postgresql+psycopg://liqwatch:***@db:5432/liqwatch"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///liqwatch.db", "sqlite:///liqwatch.db"),
        ("postgresql+psycopg://liqwatch@db/liqwatch", "postgresql+psycopg://liqwatch@db/liqwatch"),
        ("postgresql://a:b@c@db/liqwatch", "postgresql://a:***@db/liqwatch"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert Settings.model_construct(database_url=url).database_name == shown


@pytest.mark.parametrize("url", ["sqlite:///liqwatch.db", "sqlite://user:known@/x"])
def test_a_password_file_goes_with_an_address_that_names_a_user_and_no_password(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text("secret", encoding="utf-8")
    for file in (tmp_path / "password", tmp_path / "nowhere"):
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setenv("DATABASE_PASSWORD_FILE", str(file))
        with pytest.raises(SettingsError, match="DATABASE_PASSWORD_FILE takes the path of a readable file"):
            load_settings()
