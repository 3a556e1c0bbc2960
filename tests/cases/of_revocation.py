"""CRLs and OCSP responses that no key of the CA signed, odd ones that a CA did sign, and sound ones."""

from __future__ import annotations

from typing import Final

from .oddities import NO, YES, Oddity, Step

_KIND: Final = "CRLs and OCSP responses"
_LINE: Final = "paths leaf.pem --certs certs.pem --anchor anchor.pem --revocation require {evidence}"
_UNKNOWN: Final = "Nothing is known: no path where revocation is required."
_SOUND: Final = "Used."
_ROWS: Final = (
    ("ocsp-copy-of-ca", "An OCSP response brings a copy of the CA's certificate with another key", NO, _UNKNOWN),
    ("ocsp-copies-of-both", "The same, for the server and for the CA", NO, _UNKNOWN),
    (
        "ocsp-copy-says-revoked",
        'The same says "revoked", and there is the CA\'s sound CRL',
        YES,
        "Good: without a key of the CA, nothing is revoked.",
    ),
    ("ocsp-copy-of-delegate", "A copy of a delegate's certificate with another key", NO, _UNKNOWN),
    ("crl-candidate", "A CRL signed with the key of a look-alike of the CA", NO, _UNKNOWN),
    ("crl-candidate-says-revoked", "The same CRL revokes, and there is the CA's sound one", YES, "Good."),
    ("crl-copied-signature", "A CRL with the signature octets of another CRL", NO, _UNKNOWN),
    ("delta-forged", "A forged delta CRL lifts a certificate on hold", NO, "Revoked."),
    ("indirect-forged", "An indirect CRL signed with the key of a look-alike", NO, _UNKNOWN),
    ("indirect-own-voucher", "The signer of an indirect CRL vouches only for itself", NO, _UNKNOWN),
    ("crl-entry-critical", "An entry of a CRL has an unknown critical extension", NO, "The CRL is not used."),
    ("crl-remove-in-full", "A full CRL lists the certificate with removeFromCRL", NO, "No path."),
    ("crl-revoked-at-the-time", "The revocation date is the time of the validation", NO, "Revoked."),
    ("ocsp-good-and-revoked", "One response says good and revoked", NO, "Revoked."),
    ("ocsp-critical", "A single response has an unknown critical extension", NO, "The response is not used."),
    ("ocsp-delegate-may-not-sign", "The delegate's keyUsage does not allow signatures", NO, _UNKNOWN),
    ("crl-sound", "A sound CRL", YES, _SOUND),
    ("ocsp-sound", "A sound OCSP response", YES, _SOUND),
    ("ocsp-delegate-sound", "A sound OCSP response of a delegate", YES, _SOUND),
    ("delta-sound", "A sound delta CRL", YES, _SOUND),
    ("indirect-sound", "A sound indirect CRL", YES, _SOUND),
)

ODDITIES: Final = (
    *(
        Oddity(
            script="revocation",
            case=case,
            kind=_KIND,
            oddity=oddity,
            outcome=outcome,
            steps=(Step(line=_LINE, status=status),),
        )
        for case, oddity, status, outcome in _ROWS
    ),
    Oddity(
        kind=_KIND,
        oddity="The trust anchor is a name and a key, and a response brings a blank certificate in its name",
        outcome=_UNKNOWN,
        test="tests/paths/forger/test_reproduced_attacks.py::blank_anchor",
    ),
)
