"""What is signed in SNAP BI (Bank Indonesia, 23/10/KEP.GBI/2021, security standard), and how. Pure.

Asymmetric: ``SHA256withRSA`` over the string; symmetric: ``HMAC_SHA512`` with the client's secret, in base64.
Always over the very bytes of the body as they travel.
"""

import base64
import hashlib
import hmac
from datetime import datetime

from meterai.clock import WIB


def to_sign(method: str, path: str, raw: bytes, timestamp: str) -> bytes:
    """``METHOD:path:lowerhex(sha256(body)):timestamp``, for asymmetric messages."""
    return f"{method}:{path}:{hashlib.sha256(raw).hexdigest()}:{timestamp}".encode()


def to_sign_with_token(method: str, path: str, token: str, raw: bytes, timestamp: str) -> bytes:
    """``METHOD:path:token:lowerhex(sha256(body)):timestamp``, for symmetric messages."""
    return f"{method}:{path}:{token}:{hashlib.sha256(raw).hexdigest()}:{timestamp}".encode()


def to_sign_for_token(client_id: str, timestamp: str) -> bytes:
    """``client|timestamp``: what is signed (always asymmetrically) to be given an access token."""
    return f"{client_id}|{timestamp}".encode()


def mac(secret: bytes, message: bytes) -> str:
    """``HMAC_SHA512`` in base64."""
    return base64.b64encode(hmac.digest(secret, message, "sha512")).decode()


def mac_fits(secret: bytes, message: bytes, signature: str) -> bool:
    """Whether the signature is that of the message, compared in constant time."""
    return hmac.compare_digest(mac(secret, message).encode(), signature.encode())


def iso(moment: datetime) -> str:
    """ISO 8601 with offset and without fractions, as SNAP BI wants it."""
    return moment.astimezone(WIB).replace(microsecond=0).isoformat()


def token_for(secret: bytes, client_id: str, until: int) -> str:
    """An access token that says itself until when it is good (seconds since 1970)."""
    said = f"{client_id}|{until}".encode()
    stamp = hmac.digest(secret, b"access token|" + said, "sha256")[:18]
    return base64.urlsafe_b64encode(said + b"|" + stamp).decode()


def token_good(secret: bytes, token: str, client_id: str, now: datetime) -> bool:
    """Whether we gave this token to this client and it is still good."""
    try:
        whole = base64.urlsafe_b64decode(token)
        until = int(whole[:-19].rpartition(b"|")[2])
    except ValueError:
        return False
    fits = hmac.compare_digest(token_for(secret, client_id, until).encode(), token.encode())
    return fits and now.timestamp() < until
