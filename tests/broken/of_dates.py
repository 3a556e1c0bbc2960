"""Set-ups in which certificates are not valid at the time, or the clock is wrong."""

from __future__ import annotations

from typing import Final

from pkcs12kit import lab

from .pki import AROUND, LONG_PAST, PAST, TO_COME, Link, Pki, issue
from .setups import BUILD, PATHS, Broken

VALIDITY: Final = "RFC 5280 section 6.1.3 (a)(2)"


def _parallel(folder):
    """The issuing CA's certificate is expired, and a renewed one for the same key exists."""
    pki = Pki(folder, issuing=Link(validity=PAST), server=Link(url=True))
    renewed = issue(pki.policy, pki.issuing, Link(), 33)
    folder.put("issuing-renewed.pem", renewed)
    folder.publish("http://pki.example.com/example-issuing-ca.cer", renewed)


def _two_bad_certificates(folder):
    """Of two certificates of the issuing CA, one is expired and one is not valid yet."""
    pki = Pki(folder, issuing=Link(validity=PAST))
    folder.put("issuing-next.pem", issue(pki.policy, pki.issuing, Link(validity=TO_COME), 34))


def _renewed_server(folder):
    pki = Pki(folder, server=Link(validity=PAST))
    folder.put("renewed.pem", issue(pki.issuing, "www.example.com", Link(), 1002))


def _ends_before_the_server_begins(folder):
    """No instant exists at which the whole path is valid."""
    Pki(folder, issuing=Link(validity=LONG_PAST), server=Link(validity=lab.Validity(PAST[1], AROUND[1])))


SETUPS: Final = (
    Broken(
        name="expired-server",
        kind="expired",
        what="The server's own certificate is expired.",
        make=_renewed_server,
        faults=(("server.pem", "expired"),),
        rule=VALIDITY,
    ),
    Broken(
        name="expired-issuing",
        kind="expired",
        what="The issuing CA's certificate is expired.",
        make=lambda folder: Pki(folder, issuing=Link(validity=PAST)),
        faults=(("issuing.pem", "expired"),),
        rule=VALIDITY,
        shown=True,
    ),
    Broken(
        name="expired-intermediate-renewed-elsewhere",
        kind="expired",
        what="The issuing CA's certificate is expired, and its URL has a renewed one for the same key.",
        make=_parallel,
        faults=(("issuing.pem", "expired"),),
        rule=VALIDITY,
    ),
    Broken(
        name="expired-and-not-yet-valid-parallels",
        kind="expired",
        what="Of two certificates of the issuing CA, one is expired and the other is not valid yet.",
        make=_two_bad_certificates,
        call="paths server.pem --certs issuing.pem issuing-next.pem policy.pem --anchor root.pem",
        faults=(("issuing.pem", "expired"),),
        rule=VALIDITY,
    ),
    Broken(
        name="two-expired",
        kind="expired",
        what="The server's certificate and that of the CA above the issuing CA are both expired.",
        make=lambda folder: Pki(folder, server=Link(validity=PAST), policy=Link(validity=PAST)),
        faults=(("server.pem", "expired"), ("policy.pem", "expired")),
        rule=VALIDITY,
    ),
    Broken(
        name="expired-and-wrong-name",
        kind="expired",
        what="The issuing CA's certificate is expired, and the server's certificate is for another name.",
        make=lambda folder: Pki(folder, issuing=Link(validity=PAST)),
        call=f"{PATHS} --server-name mail.example.com",
        faults=(("server.pem", "server-name"), ("issuing.pem", "expired")),
    ),
    Broken(
        name="expired-anchor",
        kind="expired",
        what="The trust anchor's own certificate is expired.",
        make=lambda folder: Pki(folder, root=Link(validity=PAST)),
        faults=(("root.pem", "expired"),),
        rule="RFC 5280 section 6.1.1 (d), by choice",
    ),
    Broken(
        name="anchor-not-yet-valid",
        kind="not-yet-valid",
        what="The trust anchor's own certificate is not valid yet.",
        make=lambda folder: Pki(folder, root=Link(validity=TO_COME)),
        faults=(("root.pem", "not-yet-valid"),),
        rule="RFC 5280 section 6.1.1 (d), by choice",
    ),
    Broken(
        name="not-yet-valid-server",
        kind="not-yet-valid",
        what="The server's new certificate is not valid yet.",
        make=lambda folder: Pki(folder, server=Link(validity=TO_COME)),
        faults=(("server.pem", "not-yet-valid"),),
        rule=VALIDITY,
    ),
    Broken(
        name="not-yet-valid-ca",
        kind="not-yet-valid",
        what="The issuing CA's certificate was issued in advance, and is not valid yet.",
        make=lambda folder: Pki(folder, issuing=Link(validity=TO_COME)),
        faults=(("issuing.pem", "not-yet-valid"),),
        rule=VALIDITY,
        shown=True,
    ),
    Broken(
        name="clock-in-the-past",
        kind="not-yet-valid",
        what="The time of --at, like a wrong clock, is before every certificate.",
        make=Pki,
        call=f"{PATHS} --at 2001-01-01",
        faults=(
            ("server.pem", "not-yet-valid"),
            ("issuing.pem", "not-yet-valid"),
            ("policy.pem", "not-yet-valid"),
            ("root.pem", "not-yet-valid"),
        ),
    ),
    Broken(
        name="clock-in-the-future",
        kind="expired",
        what="The time of --at, like a wrong clock, is after the end of every certificate.",
        make=Pki,
        call=f"{PATHS} --at 2040-01-01",
        faults=(
            ("server.pem", "expired"),
            ("issuing.pem", "expired"),
            ("policy.pem", "expired"),
            ("root.pem", "expired"),
        ),
    ),
    Broken(
        name="never-valid",
        kind="expired",
        what="The issuing CA's certificate ended before the server's certificate began.",
        make=_ends_before_the_server_begins,
        faults=(("issuing.pem", "expired"),),
        rule=VALIDITY,
    ),
    Broken(
        name="expired-in-build",
        kind="expired",
        what="The issuing CA's certificate is expired, and the command is `build`, which writes nothing.",
        make=lambda folder: (Pki(folder, issuing=Link(validity=PAST)), folder.write("pw.txt", "correct horse 42\n")),
        call=BUILD,
        faults=(("issuing.pem", "expired"),),
        rule=VALIDITY,
    ),
)
