"""What the forms of answers are made of: large numbers as decimal text, bytes as 0x-hex, times in Unix seconds."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from indexer.api import examples

AddressText = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{40}$", description="20 bytes with EIP-55 checksum")]
HashText = Annotated[str, Field(pattern="^0x[0-9a-f]{64}$", description="32 bytes")]
BytesText = Annotated[str, Field(pattern="^0x([0-9a-f]{2})*$", description="Any number of bytes")]
NumberText = Annotated[str, Field(pattern="^-?[0-9]+(/[0-9]+)?$", description="An exact number in decimal")]


class Schema(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ErrorBody(Schema):
    """What every error looks like."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ERROR]})

    type: Annotated[str, Field(description="What kind of error, for programs")]
    detail: Annotated[str, Field(description="What is wrong, for people")]


class BlockBody(Schema):
    """A block, by the endpoint that the index was read from."""

    number: int
    hash: HashText
    timestamp: int
