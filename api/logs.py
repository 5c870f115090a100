"""Structured logs on stderr: lines for people, or one JSON object a line for machines."""

import logging
import sys
from typing import Any

import msgspec
import structlog

from api.settings import LogFormat, Settings

_encoder = msgspec.json.Encoder(enc_hook=str)


def configure(settings: Settings) -> None:
    """Send structlog's and the standard library's records (uvicorn's among them) the same way."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    renderer: Any = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    if settings.log_format is LogFormat.JSON:
        renderer = _json
    shared = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info if settings.log_format is LogFormat.JSON else _keep,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").disabled = True  # api.telemetry logs requests, by route and not by path


def _json(_: Any, __: str, event: Any) -> str:
    return _encoder.encode(event).decode()


def _keep(_: Any, __: str, event: Any) -> Any:
    return event
