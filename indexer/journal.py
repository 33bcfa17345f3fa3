"""How the indexer and its server write their log: to stderr, as JSON when nobody is looking."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

LOGGER_NAME = "qballot"


def get_journal(name: str) -> Any:
    """Return a logger for one module. Until `configure_logging` is called, only warnings are shown, on stderr."""
    return structlog.wrap_logger(logging.getLogger(f"{LOGGER_NAME}.{name}"))


def configure_logging(*, level: int = logging.INFO) -> None:
    """Send events to stderr: coloured lines on a terminal, one JSON object a line elsewhere. For entry points."""
    terminal = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger(LOGGER_NAME)
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(level)
