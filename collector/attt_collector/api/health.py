"""GET /api/v1/health: whether the service can read its store, and what it is."""

from __future__ import annotations

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import attt_rules
from attt_rules.contract import CONTRACT_VERSION


async def show_health(request: Request) -> JSONResponse:
    """Liveness; needs no login, so it names no device and no unit."""
    state = request.app.state
    with state.store.read() as conn:
        conn.execute(text("SELECT 1"))
    return JSONResponse(
        {
            "status": "ok",
            "version": attt_rules.__version__,
            "contract": CONTRACT_VERSION,
            "simulated": state.store.simulated,
            "collector_time": state.clock().isoformat(),
            "writes_queued": state.store.queued,
            "refused": sum(state.refusals.by_code.values()),
        }
    )


routes = [Route("/api/v1/health", show_health, methods=["GET"])]
