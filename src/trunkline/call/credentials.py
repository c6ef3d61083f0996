"""Answering the challenges that meet requests of a call: a phone's at the IPBX, the IPBX's at the carrier."""

from __future__ import annotations

from trunkline.sip.auth import Session
from trunkline.sip.flow import Ids
from trunkline.sip.message import Request, Response
from trunkline.sip.usage_events import Authorize, Headers
from trunkline.sip.values import Challenge, Credentials


def authorizer(user: str, password: str, ids: Ids) -> Authorize:
    """Makes the credentials for a 401 or 407 (RFC 3261 §22.2); None when it cannot, or was refused."""
    session = Session(user, password)

    def authorize(response: Response, request: Request) -> Headers | None:
        asks, says = (
            ("www-authenticate", "Authorization")
            if response.status == 401
            else ("proxy-authenticate", "Proxy-Authorization")
        )
        challenges = [value for value in response.values(asks) if isinstance(value, Challenge)]
        carried = request.value(says)
        refused = carried if isinstance(carried, Credentials) else None
        credentials = session.answer(challenges, request.method, request.uri_text, ids, refused)
        return None if credentials is None else ((says, str(credentials)),)

    return authorize
