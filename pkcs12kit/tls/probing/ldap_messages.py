"""The two LDAP messages of StartTLS, as asn1crypto structures. Loads asn1crypto: import it where it is used."""

from __future__ import annotations

from typing import Any, ClassVar, Final, NamedTuple, TypeAlias

from asn1crypto import core

_Fields: TypeAlias = list[tuple[Any, ...]]

_START_TLS: Final = b"1.3.6.1.4.1.1466.20037"  # RFC 4511 section 4.14.1; an LDAPOID is text


# RFC 4511 section 4.1.9 and appendix A.2: the results that a server can return for StartTLS.
_RESULT_CODES: Final = {
    0: "success",
    1: "operationsError",
    2: "protocolError",
    8: "strongerAuthRequired",
    10: "referral",
    13: "confidentialityRequired",
    50: "insufficientAccessRights",
    51: "busy",
    52: "unavailable",
    53: "unwillingToPerform",
    80: "other",
}


class _Referral(core.SequenceOf):  # type: ignore[misc]  # asn1crypto has no types
    """RFC 4511 section 4.1.10."""

    _child_spec = core.OctetString


class _ExtendedRequest(core.Sequence):  # type: ignore[misc]  # as above
    """RFC 4511 section 4.12."""

    _fields: ClassVar[_Fields] = [
        ("requestName", core.OctetString, {"implicit": 0}),
        ("requestValue", core.OctetString, {"implicit": 1, "optional": True}),
    ]


class _ExtendedResponse(core.Sequence):  # type: ignore[misc]  # as above
    """RFC 4511 section 4.12, with the components of LDAPResult (section 4.1.9)."""

    _fields: ClassVar[_Fields] = [
        ("resultCode", core.Enumerated),
        ("matchedDN", core.OctetString),
        ("diagnosticMessage", core.OctetString),
        ("referral", _Referral, {"implicit": 3, "optional": True}),
        ("responseName", core.OctetString, {"implicit": 10, "optional": True}),
        ("responseValue", core.OctetString, {"implicit": 11, "optional": True}),
    ]


class _ProtocolOp(core.Choice):  # type: ignore[misc]  # as above
    """RFC 4511 section 4.1.1, the two alternatives that are used here."""

    _alternatives: ClassVar[_Fields] = [
        ("extendedReq", _ExtendedRequest, {"implicit": ("application", 23)}),
        ("extendedResp", _ExtendedResponse, {"implicit": ("application", 24)}),
    ]


class _LDAPMessage(core.Sequence):  # type: ignore[misc]  # as above
    """RFC 4511 section 4.1.1."""

    _fields: ClassVar[_Fields] = [
        ("messageID", core.Integer),
        ("protocolOp", _ProtocolOp),
        ("controls", core.Any, {"implicit": 0, "optional": True}),
    ]


class LDAPResult(NamedTuple):
    """The result in a server's answer."""

    number: int
    """The number of the request; 0 where the server was not asked (section 4.4)."""
    code: str
    words: str


def read_result(encoded: bytes) -> LDAPResult:
    """Decode one LDAPMessage with a result. Raises :class:`ValueError` for anything else."""
    message = _LDAPMessage.load(encoded, strict=True)
    response = message["protocolOp"].chosen
    if not isinstance(response, _ExtendedResponse):
        raise ValueError("not an ExtendedResponse")  # noqa: TRY004  # it is about bytes from outside
    code = int(response["resultCode"])
    words = response["diagnosticMessage"].native.decode("utf-8", "replace")
    return LDAPResult(int(message["messageID"]), _RESULT_CODES.get(code, f"result {code}"), words)


def start_tls_request(number: int) -> bytes:
    """Return the encoded request to start TLS, which has no value (RFC 4511 section 4.14.1)."""
    request = _ExtendedRequest({"requestName": _START_TLS})
    return bytes(_LDAPMessage({"messageID": number, "protocolOp": _ProtocolOp("extendedReq", request)}).dump())
