"""How the indexer and its server write their log: to stderr, as JSON when nobody is looking."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter

LOGGER_NAME = "qballot"

_PROCESSORS = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    # As plain text, whoever shows it: structlog's own way prints every local variable, thus keys.
    structlog.processors.format_exc_info,
    ProcessorFormatter.wrap_for_formatter,
)


def get_journal(name: str) -> Any:
    """Return a logger for one module. Until `configure_logging` is called, only warnings are shown, on stderr."""
    return structlog.wrap_logger(logging.getLogger(f"{LOGGER_NAME}.{name}"), _PROCESSORS)


def configure_logging(*, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send events to a stream: coloured lines on a terminal, one JSON object a line elsewhere. For entry points.

    stream: stderr when None.
    """
    out = sys.stderr if stream is None else stream
    renderer = structlog.dev.ConsoleRenderer() if out.isatty() else structlog.processors.JSONRenderer()
    handler = logging.StreamHandler(out)
    handler.setFormatter(ProcessorFormatter(processors=[ProcessorFormatter.remove_processors_meta, renderer]))
    logger = logging.getLogger(LOGGER_NAME)
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(level)
