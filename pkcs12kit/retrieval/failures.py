"""What went wrong with a request, in a sentence. It loads aiohttp: import it where something is to be fetched."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import TYPE_CHECKING, Final

import aiohttp

from pkcs12kit.retrieval.resolver import RefusedAddressError
from pkcs12kit.retrieval.retrying import PASSING_STATUSES
from pkcs12kit.retrieval.unanswered import UnansweredError

if TYPE_CHECKING:
    from pkcs12kit.limits import Limits

# Not ECONNREFUSED: nobody listens there. Too many open files are ours, and fewer later.
_PASSING_ERRORS: Final = frozenset(
    {errno.ECONNABORTED, errno.ECONNRESET, errno.EMFILE, errno.ENFILE, errno.EPIPE, errno.ETIMEDOUT}
)


class ConnectionLostError(aiohttp.ClientError):
    """The server closed or reset a connection before it answered."""


_CLOSED: Final = "the server closes the connection before it has answered"
_OTHERS: Final[tuple[tuple[type[Exception], str, bool], ...]] = (
    # kind, what it means, whether it may pass; a kind stands before those that it is one of
    (TimeoutError, "nothing is heard from the server for {idle}", True),
    (aiohttp.ClientPayloadError, "the answer is cut short or damaged on the way", True),
    (aiohttp.ClientResponseError, "the answer is not HTTP (RFC 9112), or its headers are too long", False),
    (ConnectionLostError, _CLOSED, True),
    (aiohttp.ServerDisconnectedError, _CLOSED, True),
    (ssl.SSLError, "TLS fails", False),
    (OSError, _CLOSED, True),  # after it was connected to
)


def explain(error: Exception, *, limits: Limits) -> UnansweredError:
    """Say what an error of aiohttp's means, and whether it may pass. Nothing that the server sent is repeated."""
    idle = f"{limits.retrieval_idle_seconds:g} seconds (limits.retrieval_idle_seconds)"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return _unresolved(error.os_error)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError):
        return _unconnected(error)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return UnansweredError(f"cannot be connected to within {idle}", passing=True, unreachable=True)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return UnansweredError(f"the proxy answers {error.status}", passing=error.status in PASSING_STATUSES)
    for kind, why, passing in _OTHERS:
        if isinstance(error, kind):
            return UnansweredError(why.format(idle=idle), passing=passing)
    return UnansweredError(f"the request fails: {type(error).__name__}")


def _unresolved(error: OSError) -> UnansweredError:
    if isinstance(error, RefusedAddressError):
        return UnansweredError(str(error), refused=True)
    passing = error.errno == socket.EAI_AGAIN
    return UnansweredError(
        f"its host cannot be resolved: {error.strerror or 'no address'}", passing=passing, unreachable=True
    )


def _unconnected(error: aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError) -> UnansweredError:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        why = getattr(error.certificate_error, "verify_message", None) or "it is not verified"
        return UnansweredError(f"the server's certificate is not accepted: {why}", unreachable=True)
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        why = getattr(error.os_error, "reason", None) or "no reason is given"
        return UnansweredError(f"TLS fails: {why}", unreachable=True)
    what = "the proxy" if isinstance(error, aiohttp.ClientProxyConnectionError) else "its host"
    reset = isinstance(error.os_error, ConnectionResetError | ConnectionAbortedError)
    return UnansweredError(
        f"{what} cannot be connected to: {error.strerror or 'the connection is lost'}",
        passing=reset or error.errno in _PASSING_ERRORS,
        unreachable=True,
    )
