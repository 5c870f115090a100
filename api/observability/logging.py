"""Structured logs on stderr: readable lines for people, or one JSON object per line for machines."""

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from api.settings import LogFormat, Settings

_encode = msgspec.json.Encoder(enc_hook=str).encode


def configure(settings: Settings) -> None:
    """Format records of structlog and of the standard library (such as uvicorn's) the same way."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    if settings.log_format is LogFormat.JSON:
        processors: list[Any] = [_json]
        factory: Any = structlog.BytesLoggerFactory(sys.stderr.buffer)
    else:
        stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
        # Plain tracebacks: rich ones show local variables, which may hold personal data.
        plain = structlog.dev.plain_traceback
        console = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
        processors = [structlog.stdlib.add_log_level, stamp, console]
        factory = structlog.WriteLoggerFactory(sys.stderr)
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=factory,
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_Handler()]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    # At debug level they log stored and sent data, including ids and questions.
    for chatty in (
        "aiosqlite",
        "sqlalchemy",
        "api.db.engine",
        "asyncio",
        "anthropic",
        "httpx2",
        "httpcore2",
        "python_multipart",
    ):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    logging.getLogger("uvicorn.access").disabled = True  # requests are logged by route, not by path


def _is_news(record: logging.LogRecord) -> bool:
    """False for uvicorn's copy of an unexpected error, which api.http.problems logs with the request's id."""
    return not record.getMessage().startswith("Exception in ASGI application")


class _Handler(logging.Handler):
    """Passes records of the standard library to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger()
        exception = {"exc_info": record.exc_info} if record.exc_info else {}
        logger.log(record.levelno, record.getMessage().replace("\n", " "), logger=record.name, **exception)


def _json(_: Any, level: str, event: dict[str, Any]) -> bytes:
    """The only processor; it is fast mainly because msgspec formats the time itself."""
    error = event.pop("exc_info", None)
    if error:
        error = (
            error if isinstance(error, BaseException) else (error[1] if isinstance(error, tuple) else sys.exception())
        )
        event["exception"] = "".join(traceback.format_exception(error)) if error else None
    return _encode({"timestamp": datetime.now(UTC), "level": level, **event})
