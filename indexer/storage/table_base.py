"""What all tables have in common."""

from __future__ import annotations

from sqlalchemy import MetaData, Table
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

_NAMES = {"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}


class Row(SQLModel, registry=registry(metadata=MetaData(naming_convention=_NAMES))):
    """Base of our tables, with a registry of its own: programs that embed us may have SQLModel tables too."""


METADATA = Row.metadata


def table_of(row: type[Row]) -> Table:
    """Give the table that a class describes."""
    return METADATA.tables[str(row.__tablename__)]
