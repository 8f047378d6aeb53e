"""What an operator can set: environment variables, or the same names in a `.env` file."""

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

EXCHANGES = ("binance", "bybit", "okx", "hyperliquid")
MOST_SYMBOLS = 5000
"""More than any exchange lists."""

MOST_ADDRESSES = 2000
"""Each is asked in turn: so many take half an hour, and what one held is forgotten after an hour."""

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class PasswordFileError(ValueError):
    """The database's password cannot be taken from its file."""


class SettingsError(Exception):
    """A setting that cannot be used; the text names the variable and what it takes, never its value if secret."""


def _words(value: object) -> object:
    """Split a comma-separated list; a list stays a list."""
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def _url(value: str) -> str:
    parts = urlsplit(value.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("not a web address")
    return value.strip().rstrip("/")


def _stream_url(value: str) -> str:
    parts = urlsplit(value.strip())
    if parts.scheme not in {"ws", "wss"} or not parts.hostname:
        raise ValueError("not a websocket address")
    return value.strip().rstrip("/")


def _count_or_all(value: object) -> object:
    return MOST_SYMBOLS if isinstance(value, str) and value.strip().lower() == "all" else value


def _addresses(value: object) -> object:
    """Accounts as words, or as the lines of the file that is named instead."""
    words = _words(value)
    if not isinstance(words, tuple):
        return words
    if len(words) == 1 and not str(words[0]).startswith("0x"):
        try:
            lines = Path(str(words[0])).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise ValueError("not readable") from None
        words = tuple(line.split()[0] for line in lines if line.strip() and not line.lstrip().startswith("#"))
    found = tuple(dict.fromkeys(str(word).lower() for word in words))
    if len(found) > MOST_ADDRESSES or not all(re.fullmatch("0x[0-9a-f]{40}", word) for word in found):
        raise ValueError("not addresses, or too many")
    return found


def with_password(url: str, password: str) -> str:
    """A database's address with its user's password in it. Raises PasswordFileError where it has no place for one."""
    parts = urlsplit(url)
    if not password or not parts.username or parts.password is not None:
        raise PasswordFileError
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


Url = Annotated[str, BeforeValidator(_url)]
StreamUrl = Annotated[str, BeforeValidator(_stream_url)]


class Settings(BaseSettings):
    """Every setting with its default. Field names in capitals are the variables' names."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)

    telegram_bot_token: SecretStr | None = None
    telegram_bot_token_file: Path | None = None
    telegram_api_url: Url = "https://api.telegram.org"
    database_url: str = "sqlite:///liqwatch.db"
    database_password_file: Path | None = None
    exchanges: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = ("binance",)
    binance_api_url: Url = "https://fapi.binance.com"
    binance_web_url: Url = "https://www.binance.com"
    bybit_api_url: Url = "https://api.bybit.com"
    okx_api_url: Url = "https://www.okx.com"
    hyperliquid_api_url: Url = "https://api.hyperliquid.xyz"
    hyperliquid_addresses: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_addresses)] = ()
    binance_stream_url: StreamUrl = "wss://fstream.binance.com"
    bybit_stream_url: StreamUrl = "wss://stream.bybit.com"
    okx_stream_url: StreamUrl = "wss://ws.okx.com:8443"
    admin_ids: Annotated[tuple[int, ...], NoDecode, BeforeValidator(_words)] = ()
    admin_errors: Literal["error", "warning", "off"] = "error"
    allowed_ids: Annotated[tuple[int, ...], NoDecode, BeforeValidator(_words)] = ()
    access: Literal["open", "allowlist"] = "open"
    access_contact: str = Field(default="", max_length=64)
    inline_cache_chat: int | None = None
    public_channels: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = ()
    log_level: Annotated[LogLevel, BeforeValidator(_upper)] = "INFO"
    log_format: Literal["text", "json"] = "text"
    rules_per_chat: int = Field(default=25, ge=1, le=1000)
    alerts_per_hour: int = Field(default=12, ge=1, le=1000)
    why_days: int = Field(default=14, ge=1, le=60)
    commands_per_minute: int = Field(default=30, ge=1, le=600)
    tick_seconds: float = Field(default=2.0, ge=0.5, le=60)
    alert_fresh_minutes: int = Field(default=15, ge=1, le=1440)
    history_days: int = Field(default=30, ge=1, le=30)
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    metrics_host: str = "127.0.0.1"
    warm_symbols: Annotated[int, BeforeValidator(_count_or_all)] = Field(default=100, ge=0, le=MOST_SYMBOLS)
    charts_dir: Path = Path("liqwatch-charts")
    source_url: Url | Literal[""] = ""

    @field_validator("exchanges")
    @classmethod
    def _known_exchanges(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not set(value) <= set(EXCHANGES) or len(set(value)) != len(value):
            raise ValueError("unknown exchange")
        return value

    @field_validator("public_channels")
    @classmethod
    def _channel_entries(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"\S+:(@[A-Za-z]\w{3,31}|-100\d{5,15})", entry, re.ASCII) for entry in value):
            raise ValueError("not a symbol and a channel")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_kind(cls, value: str) -> str:
        if not value.startswith(("sqlite://", "postgresql://", "postgresql+psycopg://")):
            raise ValueError("not a database address")
        return value

    @field_validator("telegram_bot_token")
    @classmethod
    def _token_shape(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        token = value.get_secret_value().strip()
        if not re.fullmatch(r"[0-9]{6,12}:[A-Za-z0-9_-]{30,}", token):
            raise ValueError("not a bot token")
        return SecretStr(token)

    @property
    def database_name(self) -> str:
        """DATABASE_URL as it may be shown: without its password, and options, where one may stand."""
        return re.sub(r"(?<=://)([^/@]*?):.*@", r"\1:***@", self.database_url).partition("?")[0]

    @model_validator(mode="after")
    def _read_password_file(self) -> "Settings":
        if self.database_password_file is None:
            return self
        try:
            password = self.database_password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise PasswordFileError from None
        self.database_url = with_password(self.database_url, password)
        return self

    @model_validator(mode="after")
    def _read_token_file(self) -> "Settings":
        if self.telegram_bot_token is None and self.telegram_bot_token_file is not None:
            try:
                token = self.telegram_bot_token_file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                raise ValueError("not readable") from None
            self.telegram_bot_token = self._token_shape(SecretStr(token))
        return self


TAKES = {
    "telegram_bot_token": "the token @BotFather gave, like 123456789:AAE… (leave it out to try the bot in a terminal)",
    "telegram_bot_token_file": "the path of a readable file that holds the bot's token",
    "telegram_api_url": "a web address such as https://api.telegram.org",
    "database_url": "an address such as sqlite:///liqwatch.db or postgresql+psycopg://liqwatch@host/liqwatch",
    "database_password_file": "the path of a readable file that holds the password, beside a DATABASE_URL that names a "
    "user and no password, such as postgresql+psycopg://liqwatch@host/liqwatch",
    "exchanges": f"a comma-separated list out of: {', '.join(EXCHANGES)}",
    "binance_api_url": "a web address such as https://fapi.binance.com",
    "binance_web_url": "a web address such as https://www.binance.com",
    "bybit_api_url": "a web address such as https://api.bybit.com",
    "okx_api_url": "a web address such as https://www.okx.com",
    "hyperliquid_api_url": "a web address such as https://api.hyperliquid.xyz",
    "hyperliquid_addresses": f"up to {MOST_ADDRESSES} addresses of 0x and 40 hexadecimal digits, comma-separated, or "
    "the path of a readable file with one a line",
    "binance_stream_url": "a websocket address such as wss://fstream.binance.com",
    "bybit_stream_url": "a websocket address such as wss://stream.bybit.com",
    "okx_stream_url": "a websocket address such as wss://ws.okx.com:8443",
    "admin_ids": "Telegram user ids, comma-separated, such as 12345678,23456789",
    "admin_errors": "error, warning or off",
    "allowed_ids": "Telegram chat ids, comma-separated, such as 12345678,-1001234567890",
    "access": "open or allowlist",
    "access_contact": "up to 64 characters, such as @yourname",
    "inline_cache_chat": "a Telegram chat id, such as -1001234567890 (leave it out to offer unsent maps in words)",
    "public_channels": "symbols with the name or id of a channel, such as BTC:@btczones,ETH:-1001234567890",
    "log_level": "DEBUG, INFO, WARNING or ERROR",
    "log_format": "text or json",
    "rules_per_chat": "a whole number from 1 to 1000",
    "alerts_per_hour": "a whole number from 1 to 1000",
    "why_days": "a whole number of days from 1 to 60",
    "commands_per_minute": "a whole number from 1 to 600",
    "tick_seconds": "a number of seconds from 0.5 to 60",
    "alert_fresh_minutes": "a whole number of minutes from 1 to 1440",
    "history_days": "a whole number of days from 1 to 30",
    "metrics_port": "a port from 1 to 65535 for /healthz and /metrics, 0 for any free one (leave it out for neither)",
    "metrics_host": "an address of this machine such as 127.0.0.1 or 0.0.0.0",
    "warm_symbols": f"a whole number from 0 to {MOST_SYMBOLS}, or all",
    "charts_dir": "the path of a folder for pictures",
    "source_url": "a web address where the source of this version can be read",
}


def load_settings() -> Settings:
    """Read the settings; raises SettingsError with one sentence naming the first wrong variable and what it takes."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = str(first["loc"][0]) if first["loc"] else _file_at_fault(error)
        raise SettingsError(f"{name.upper()} takes {TAKES[name.lower()]}") from None


def _file_at_fault(error: ValidationError) -> str:
    """Which of the files that are read after all settings were."""
    causes = [each.get("ctx", {}).get("error") for each in error.errors(include_input=False, include_url=False)]
    at_fault = any(isinstance(cause, PasswordFileError) for cause in causes)
    return "database_password_file" if at_fault else "telegram_bot_token_file"
