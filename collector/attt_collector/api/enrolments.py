"""POST /api/v1/enrolments: a device joins a unit with a code and proves that it owns its key."""

from __future__ import annotations

import base64
import logging

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from attt_collector import trust
from attt_collector.api.body import read_envelope
from attt_collector.judge import refusals
from attt_collector.judge.receive import open_envelope
from attt_collector.store import enrolment_codes
from attt_rules.contract import (
    ENROLMENT_SIGNING_CONTEXT,
    AssetKind,
    EnrolmentGrant,
    EnrolmentRequest,
    Envelope,
    UnitRef,
    device_id_of,
)

_requests = TypeAdapter(EnrolmentRequest)
_ENROLS_ITSELF = (AssetKind.PC, AssetKind.SERVER)
_log = logging.getLogger("attt.enrolment")


async def enrol_device(request: Request) -> JSONResponse:
    """Grant a place in the code's unit; the same key with the same code gets the same grant."""
    state = request.app.state
    now = state.clock()
    raw, _ = await read_envelope(request)
    asked, public_key = verified_request(open_envelope(raw))
    if asked.simulated != state.store.simulated:
        raise refusals.request_simulated_mixed(
            asked.asset.name, request_is_simulated=asked.simulated
        )
    unit, asset = await state.store.write_async(
        lambda conn: enrolment_codes.redeem(conn, asked.code, asked.asset, public_key, now)
    )
    skew = (asked.requested_at - now).total_seconds()
    _log.info(
        "event=device_enrolled device_id=%s unit=%r kind=%s clock_skew_seconds=%.0f",
        asset.device_id,
        unit.code,
        asset.kind.value,
        skew,
    )
    grant = EnrolmentGrant(
        asset.device_id, UnitRef(unit.code, unit.name), now, simulated=state.store.simulated
    )
    return JSONResponse(grant.to_wire(), status_code=201)


def verified_request(envelope: Envelope) -> tuple[EnrolmentRequest, bytes]:
    """A request whose sender owns the key that it names, and that key (32 bytes).

    Raises:
        AtttError: ATTT-206 the contract is broken, 207 signed by someone else.
    """
    try:
        asked = _requests.validate_json(envelope.body, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "request"
        raise refusals.request_malformed(place, first["msg"]) from None
    if asked.asset.kind not in _ENROLS_ITSELF:
        raise refusals.request_malformed("asset.kind", asked.asset.kind.value)
    public_key = base64.b64decode(asked.public_key, validate=True)
    signed = ENROLMENT_SIGNING_CONTEXT + envelope.body
    ids = {envelope.device_id, asked.asset.device_id, device_id_of(public_key)}
    if len(ids) != 1 or not trust.signature_is_valid(public_key, envelope.signature, signed):
        raise refusals.request_signature_wrong(asked.asset.name)
    return asked, public_key


routes = [Route("/api/v1/enrolments", enrol_device, methods=["POST"])]
