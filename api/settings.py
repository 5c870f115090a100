"""The settings. Only this module reads the environment."""

import ipaddress
import re
from dataclasses import replace
from datetime import time
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.database_url import PostgresUrl, SqliteUrl, read_url
from api.secret_strength import TooWeak, check_strength

SHORTEST_SECRET = 32
"""Characters: 128 bits even if they are hex digits."""
SHORTEST_TOKEN = 16
"""Characters: 64 bits if they are hex digits, too many to try over a network."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class SmtpTls(StrEnum):
    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Settings(BaseSettings):
    """Settings from environment variables or `.env`; `.env.example` explains each. Empty means unset."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    public_url: str | None = None
    database_url: str = "sqlite:///var/buddy.db"
    database_sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = None
    database_sslrootcert: str | None = None
    database_pool_size: int = Field(10, ge=1, le=200)
    database_timeout_seconds: float = Field(4.0, ge=0.05, le=60)
    database_wait_seconds: float = Field(30.0, ge=0, le=3600)
    drain_seconds: float = Field(0.0, ge=0, le=300)
    redis_url: str | None = None
    coach_model_dir: Path | None = None
    require_uuids: bool = False
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    metrics_token: SecretStr | None = None
    secret_key: SecretStr | None = None
    research_export_token: SecretStr | None = None
    admin_password: SecretStr | None = None
    anthropic_base_url: str | None = None
    claude_model: str = "claude-sonnet-5-5"
    claude_seconds: float = Field(20.0, gt=0, le=20)
    curate_at: time | None = None
    smtp_host: str | None = None
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str | None = None
    smtp_tls: SmtpTls = SmtpTls.STARTTLS
    web_concurrency: int = Field(1, ge=1, le=64)
    http_connections: int = Field(1000, ge=1, le=100_000)
    http_head_seconds: float = Field(20.0, gt=0)
    http_body_seconds: float = Field(30.0, gt=0)
    http_idle_seconds: float = Field(75.0, gt=0)
    http_write_seconds: float = Field(30.0, gt=0)
    log_level: LogLevel = LogLevel.INFO
    log_format: LogFormat = LogFormat.TEXT

    @model_validator(mode="after")
    def _workers_share(self) -> "Settings":
        if self.web_concurrency > 1 and self.redis_url is None:
            raise ValueError("several workers (WEB_CONCURRENCY) share their rate limits through Redis: set REDIS_URL")
        return self

    @model_validator(mode="after")
    def _mail_is_whole(self) -> "Settings":
        if self.smtp_host is None:
            return self
        if self.smtp_from is None or self.public_url is None:
            raise ValueError("SMTP_HOST needs SMTP_FROM, and PUBLIC_URL, to which the links in mails lead")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("SMTP_USER and SMTP_PASSWORD belong together")
        if self.smtp_password is not None and self.smtp_tls is SmtpTls.NONE and self.smtp_host not in LOOPBACK:
            raise ValueError("SMTP_PASSWORD goes over TLS alone: SMTP_TLS is starttls or tls")
        return self

    @field_validator("smtp_from")
    @classmethod
    def _one_address(cls, value: str | None) -> str | None:
        if value is not None and (not value.isprintable() or value.count("@") != 1 or "," in value):
            raise ValueError("is one address, such as Kinderbud <kinderbud@example.org>")
        return value

    @property
    def is_public(self) -> bool:
        """Whether others than this machine may reach the service: by its own address, or through a proxy."""
        hosts = [self.host, urlsplit(self.public_url or "").hostname or LOOPBACK[0]]
        return bool(self.trusted_proxies) or not all(is_loopback(host) for host in hosts)

    @cached_property
    def database(self) -> SqliteUrl | PostgresUrl:
        """The parsed DATABASE_URL; DATABASE_SSLMODE and DATABASE_SSLROOTCERT apply if the URL does not set them."""
        url = read_url(self.database_url)
        if isinstance(url, SqliteUrl):
            return url
        tls = {"sslmode": self.database_sslmode, "sslrootcert": self.database_sslrootcert}
        return replace(url, parameters={name: value for name, value in tls.items() if value} | dict(url.parameters))

    @model_validator(mode="before")
    @classmethod
    def _is_text(cls, values: Any) -> Any:
        """Refuse invalid UTF-8: Python reads such a byte as a lone surrogate, which cannot be sent or stored."""
        for name, value in values.items() if isinstance(values, dict) else ():
            if isinstance(value, str) and not value.isascii() and any("\ud800" <= one <= "\udfff" for one in value):
                raise ValueError(f"{name.upper()} is not UTF-8")
        return values

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        read_url(value)
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        if value is None:
            return None
        import redis.asyncio  # noqa: PLC0415 - only if it is used

        try:
            if not value.startswith(("redis://", "rediss://")):
                raise ValueError(value)
            redis.asyncio.ConnectionPool.from_url(value).make_connection()  # type: ignore[no-untyped-call]
        except Exception as error:  # the library's message may hold the password
            raise ValueError("is no address such as redis://127.0.0.1:6379/0") from error
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        networks: list[str] = []
        for one in value:
            try:
                networks.append(one if one == "*" or "/" not in one else str(ipaddress.ip_network(one, strict=False)))
                _ = one == "*" or ipaddress.ip_network(one, strict=False)
            except ValueError as error:
                raise ValueError("is a comma list of addresses or networks, such as 10.0.0.0/8") from error
        return tuple(networks)  # uvicorn trusts no network that is written with an address of it, 10.0.0.1/8

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not re.fullmatch(r"\*|[a-z][a-z0-9+.-]*://[^\s/?#@,]+", one) for one in value):
            raise ValueError("is a comma list of origins, such as https://app.example.org, without a path")
        return value

    @field_validator("coach_model_dir")
    @classmethod
    def _is_folder(cls, value: Path | None) -> Path | None:
        if value is not None and value.exists() and not value.is_dir():
            raise ValueError("is no folder")
        return value

    @field_validator("trusted_proxies", "cors_origins", mode="before")
    @classmethod
    def _comma_list(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("public_url", "anthropic_base_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not _is_address(value):
            raise ValueError("is an address such as https://buddy.example.org")
        return value.rstrip("/") if value else None

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        """The newest secret must be strong. Older ones need only the length, so that a weak one can be rotated out."""
        secrets = [secret.strip() for secret in value.get_secret_value().split(",")] if value else []
        if any(len(secret) < SHORTEST_SECRET for secret in secrets):
            raise ValueError(f"each secret needs at least {SHORTEST_SECRET} characters")
        if secrets:
            try:
                check_strength(secrets[0], SHORTEST_SECRET)
            except TooWeak as weak:
                raise ValueError(f"{weak}; put a new one in front: new,old") from weak
        return value

    @field_validator("research_export_token", "metrics_token")
    @classmethod
    def _hard_to_guess(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            check_strength(value.get_secret_value(), SHORTEST_TOKEN)
        return value

    @field_validator("curate_at", mode="before")
    @classmethod
    def _time_of_day(cls, value: object) -> object:
        if isinstance(value, str) and not re.match(r"\d\d:\d\d", value):
            raise ValueError("is a time of day such as 05:00")
        return value

    @field_validator("curate_at")
    @classmethod
    def _where_each_lives(cls, value: time | None) -> time | None:
        if value is not None and value.tzinfo is not None:
            raise ValueError("is a time of day such as 05:00, without a zone: it is meant where each family lives")
        return value

    @field_validator("admin_password")
    @classmethod
    def _hard_to_try(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            check_strength(value.get_secret_value(), SHORTEST_PASSWORD, LONGEST_PASSWORD)
        return value

    @field_validator("log_level", "log_format", "smtp_tls", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == LOOPBACK[0]


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    plain = parts.scheme in {"http", "https"} and bool(parts.hostname) and not (parts.query or parts.fragment)
    return plain and "@" not in parts.netloc and not re.search(r"[\s\x00-\x20]", value)
