"""Reads the body of a request without trusting its length, its speed or its encoding."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from attt_collector.judge import refusals
from attt_collector.judge.receive import unpack
from attt_rules.contract import MAX_BODY_BYTES

_SECONDS = 60  # for the whole body; a district line of 64 kbit/s carries 400 kB in that time


async def read_envelope(request: Request) -> tuple[bytes, bytes | None]:
    """The envelope and, when it came as gzip, the bytes as they came.

    Raises:
        AtttError: ATTT-210, 211, 212, 221 or 222.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("gzip", "identity"):
        raise refusals.encoding_unknown(encoding)
    body = await _read(request)
    if encoding == "gzip":
        return unpack(body), body
    return body, None


async def _read(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_BODY_BYTES:
                    raise refusals.too_large()
                chunks.append(chunk)
    except (TimeoutError, ClientDisconnect):
        raise refusals.too_slow() from None
    return b"".join(chunks)
