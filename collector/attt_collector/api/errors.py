"""Errors as the wire has them: one JSON shape for every answer that is not a success."""

from __future__ import annotations

import logging
from collections import Counter

from starlette.requests import Request
from starlette.responses import JSONResponse

from attt_rules.contract import Text
from attt_rules.errors import AtttError

RETRY_AFTER_SECONDS = 120

_STATUS = {
    "ATTT-201": 403,
    "ATTT-202": 403,
    "ATTT-203": 409,
    "ATTT-204": 403,
    "ATTT-205": 403,
    "ATTT-206": 422,
    "ATTT-207": 401,
    "ATTT-208": 409,
    "ATTT-210": 400,
    "ATTT-211": 413,
    "ATTT-212": 400,
    "ATTT-213": 400,
    "ATTT-214": 401,
    "ATTT-215": 403,
    "ATTT-216": 401,
    "ATTT-217": 422,
    "ATTT-218": 409,
    "ATTT-219": 422,
    "ATTT-220": 409,
    "ATTT-221": 415,
    "ATTT-222": 408,
    "ATTT-501": 503,
    "ATTT-502": 503,
    "ATTT-507": 503,
}
_log = logging.getLogger("attt.ingest")


class Refusals:
    """How often each code was answered since the service started."""

    def __init__(self) -> None:
        self.by_code: Counter[str] = Counter()

    def note(self, error: AtttError, request: Request) -> None:
        """Count and log one refusal; text from outside is quoted so that it stays on its line."""
        self.by_code[error.code] += 1
        _log.warning(
            "event=refused code=%s path=%r remote=%s reason=%r",
            error.code,
            request.url.path,
            request.client.host if request.client else "-",
            error.message.en,
        )


def answer(error: AtttError) -> JSONResponse:
    """The JSON answer for an error; 503 carries Retry-After."""
    status = _STATUS.get(error.code, 400 if error.permanent else 503)
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else None
    return JSONResponse(_wire(error), status_code=status, headers=headers)


def internal_error(reference: str) -> JSONResponse:
    """Something we did not foresee: the log has it under `reference`, the answer says no more."""
    error = AtttError(
        "ATTT-230",
        Text(
            vi=f"Máy thu thập gặp lỗi ngoài dự kiến (số tham chiếu {reference}).",
            en=f"The collector met an unexpected error (reference {reference}).",
        ),
        Text(
            vi="gửi lại sau; nếu lặp lại, báo quản trị kèm số tham chiếu.",
            en="Try again later; if it comes back, tell the administrator the reference.",
        ),
        permanent=False,
    )
    return JSONResponse(_wire(error), status_code=500)


def no_such_resource(method: str, path: str, status: int) -> JSONResponse:
    """The API has no such path or method (404, 405)."""
    error = AtttError(
        "ATTT-231",
        Text(
            vi=f"Máy thu thập không có chức năng «{method} {path[:128]}».",
            en=f'The collector has no "{method} {path[:128]}".',
        ),
        Text(
            vi="kiểm tra lại địa chỉ máy thu thập và phiên bản phần mềm attt.",
            en="Check the address of the collector and the version of attt.",
        ),
    )
    return JSONResponse(_wire(error), status_code=status)


def _wire(error: AtttError) -> dict[str, object]:
    remedy = error.remedy
    return {
        "code": error.code,
        "message": {"vi": error.message.vi, "en": error.message.en},
        "remedy": None if remedy is None else {"vi": remedy.vi, "en": remedy.en},
        "permanent": error.permanent,
    }
