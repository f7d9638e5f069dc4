"""POST /api/v1/snapshots: acknowledged with 202 only after the commit.

Plain Starlette, not FastAPI: this is the one path every device of a province takes.
"""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from attt_collector.api.body import read_envelope
from attt_collector.judge.receive import accept

_log = logging.getLogger("attt.ingest")


async def receive_snapshot(request: Request) -> JSONResponse:
    """Keep one snapshot; the same one again is acknowledged again."""
    state = request.app.state
    raw, compressed = await read_envelope(request)
    stored = accept(state.store, raw, state.clock(), compressed=compressed)
    receipt = await state.store.write_async(stored)
    _log.info(
        "event=snapshot_stored device_id=%s snapshot_id=%r bytes=%d duplicate=%s",
        receipt.device_id,
        receipt.snapshot_id,
        len(raw),
        "no" if receipt.is_new else "yes",
    )
    return JSONResponse(
        {
            "snapshot_id": receipt.snapshot_id,
            "received_at": receipt.received_at.isoformat(),
        },
        status_code=202,
    )


routes = [Route("/api/v1/snapshots", receive_snapshot, methods=["POST"])]
