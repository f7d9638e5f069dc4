"""GET /api/v1/ca: the CA certificate, for a device that will compare its fingerprint."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def show_ca(request: Request) -> Response:
    """The certificate as PEM; it is public, its fingerprint travels with the enrolment code."""
    return Response(request.app.state.ca_certificate, media_type="application/x-pem-file")


routes = [Route("/api/v1/ca", show_ca, methods=["GET"])]
