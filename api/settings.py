"""The only reader of the environment."""

from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.secret_strength import TooWeak, check_strength

SHORTEST_SECRET = 32
"""Characters: 128 bits even where they are hex digits."""
SHORTEST_TOKEN = 16
"""Characters: 64 bits where they are hex digits, more than can be tried over a network."""
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
    """What an operator may set, by environment variable or `.env`; `.env.example` explains each. Empty means unset."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    public_url: str | None = None
    database_url: str = "sqlite:///var/buddy.db"
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

    @field_validator("trusted_proxies", "cors_origins", mode="before")
    @classmethod
    def _comma_list(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("is an address such as https://buddy.example.org")
        return value.rstrip("/") if value else None

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        """The newest one must be above the floor. Older ones need only their length, so that a weak one can retire."""
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
