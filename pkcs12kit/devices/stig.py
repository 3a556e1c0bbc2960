"""Certificates that DISA's STIGs put into the Disallowed store of Windows (Untrusted Certificates).

A Windows client that is set up by a STIG refuses every path through one of them, valid or not: it is meant to find only
the self-signed DoD root. The STIGs name certificates by SHA-1 thumbprint, and so does this table. It says nothing about
other certificates with the same names. The STIGs are not complete: each release lists the certificates that were
current, and those of earlier releases may still be in the store. They bind only unclassified systems of the DoD.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate


class StigRule(NamedTuple):
    """A rule that lists a certificate. ``identifier`` never changes; ``number`` is of the release in ``source``."""

    product: str
    identifier: str
    number: str
    source: str

    def __str__(self) -> str:
        return f"{self.product} {self.identifier} ({self.number})"

    def to_json(self) -> dict[str, str]:
        """Return the rule as ``--json`` prints it."""
        return self._asdict()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disallowed:
    """A certificate that STIGs distrust, with their rules.

    ``not_after`` is the day that the STIG states. ``sha256`` is None where the certificate itself is not known.
    """

    sha1: str
    """40 lower-case hexadecimal digits."""
    sha256: str | None
    subject: str
    issuer: str
    not_after: date
    rules: tuple[StigRule, ...]

    def __str__(self) -> str:
        return (
            f"{self.subject} by {self.issuer} is in the Disallowed store of DoD's Windows systems, by STIG:"
            f" {', '.join(map(str, self.rules))}"
        )

    def to_json(self) -> dict[str, object]:
        """Return the certificate and its rules as ``--json`` prints them."""
        return {
            "sha1": self.sha1,
            "sha256": self.sha256,
            "subject": self.subject,
            "issuer": self.issuer,
            "not_after": self.not_after.isoformat(),
            "rules": [rule.to_json() for rule in self.rules],
        }


_MITRE: Final = "https://github.com/mitre/microsoft-windows"
_POWER_STIG: Final = "https://github.com/microsoft/PowerStig/blob/dev/source/StigData/Processed/"

# Interoperability Root CAs of the DoD
_WN10_DOD: Final = StigRule(
    "Windows 10", "WN10-PK-000015", "V-220905", f"{_MITRE}-10-stig-baseline/blob/main/controls/SV-220905.rb"
)
_WN11_DOD: Final = StigRule(
    "Windows 11", "WN11-PK-000015", "V-253429", f"{_MITRE}-11-stig-baseline/blob/main/controls/SV-253429.rb"
)
_WN16_DOD: Final = StigRule(
    "Windows Server 2016",
    "WN16-PK-000020",
    "V-225022",
    "https://stigviewer.com/stig/microsoft_windows_server_2016/2021-09-29/finding/V-225022",
)
_WN16_DOD_BEFORE: Final = StigRule(
    "Windows Server 2016",
    "WN16-PK-000020",
    "V-73607",
    f"{_MITRE}-server-2016-stig-baseline/blob/0e48ee079b14b2799c22d28c2e40f986f3fdab4b/controls/V-73607.rb",
)
_WN19_DOD: Final = StigRule(
    "Windows Server 2019",
    "WN19-PK-000020",
    "V-205649",
    f"{_MITRE}-server-2019-stig-baseline/blob/main/controls/SV-205649.rb",
)
_WN19_DOD_BEFORE: Final = StigRule(
    "Windows Server 2019",
    "WN19-PK-000020",
    "V-93489",
    f"{_MITRE}-server-2019-stig-baseline/blob/a5d2064111b5a0e55ba93e90829098bbe8e6f4fc/controls/V-93489.rb",
)
_WN22_DOD: Final = StigRule(
    "Windows Server 2022", "WN22-PK-000020", "V-254443", f"{_POWER_STIG}WindowsServer-2022-MS-1.5.xml"
)
_WN25_DOD: Final = StigRule(
    "Windows Server 2025",
    "WN25-PK-000020",
    "V-278193",
    "https://stigaview.com/products/winserv2025/v1r1/WN25-PK-000020",
)
# Those of the Combined Communications-Electronics Board
_WN10_CCEB: Final = StigRule(
    "Windows 10",
    "WN10-PK-000020",
    "V-220906",
    "https://preview.stighub.com/check/c44c4f31-6d29-4169-85b7-3dd75b93edef",
)
_WN11_CCEB: Final = StigRule(
    "Windows 11", "WN11-PK-000020", "V-253430", f"{_MITRE}-11-stig-baseline/blob/main/controls/SV-253430.rb"
)
_WN16_CCEB: Final = StigRule(
    "Windows Server 2016",
    "WN16-PK-000030",
    "V-225023",
    "https://preview.stighub.com/check/562098fd-ede6-4f20-bcde-2f701d10ab50",
)
_WN16_CCEB_2021: Final = StigRule(
    "Windows Server 2016", "WN16-PK-000030", "V-225023", "https://stigqter.com/stigs/SV-225023r569271_rule.html"
)
_WN16_CCEB_BEFORE: Final = StigRule(
    "Windows Server 2016",
    "WN16-PK-000030",
    "V-73609",
    "https://stigviewer.com/stig/windows_server_2016/2020-06-16/finding/V-73609",
)
_WN19_CCEB: Final = StigRule(
    "Windows Server 2019",
    "WN19-PK-000030",
    "V-205650",
    "https://stigaview.com/products/winserv2019/v3r2/WN19-PK-000030",
)
_WN19_CCEB_BEFORE: Final = StigRule(
    "Windows Server 2019",
    "WN19-PK-000030",
    "V-93491",
    f"{_MITRE}-server-2019-stig-baseline/blob/a5d2064111b5a0e55ba93e90829098bbe8e6f4fc/controls/V-93491.rb",
)
_WN22_CCEB: Final = StigRule(
    "Windows Server 2022", "WN22-PK-000030", "V-254444", f"{_POWER_STIG}WindowsServer-2022-MS-1.5.xml"
)

_ROOT_2: Final = "DoD Root CA 2"
_ROOT_3: Final = "DoD Root CA 3"
_ROOT_6: Final = "DoD Root CA 6"
_DOD_1: Final = "DoD Interoperability Root CA 1"
_DOD_2: Final = "DoD Interoperability Root CA 2"
_CCEB_1: Final = "US DoD CCEB Interoperability Root CA 1"
_CCEB_2: Final = "US DoD CCEB Interoperability Root CA 2"


def _listed(
    thumbprint: str, subject: str, issuer: str, not_after: str, *rules: StigRule, sha256: str | None = None
) -> Disallowed:
    return Disallowed(
        sha1=thumbprint.lower(),
        sha256=sha256,
        subject=f"CN={subject},OU=PKI,OU=DoD,O=U.S. Government,C=US",
        issuer=f"CN={issuer},OU=PKI,OU=DoD,O=U.S. Government,C=US",
        not_after=date.fromisoformat(not_after),
        rules=rules,
    )


DISALLOWED: Final = (
    _listed(
        "49CBE933151872E17C8EAE7F0ABA97FB610F6477",
        _ROOT_3,
        _DOD_2,
        "2024-11-16",
        *(_WN10_DOD, _WN11_DOD, _WN19_DOD, _WN22_DOD),
        sha256="f4f21cf5fa41a6e2427ca5a67ef1d77073300b050cc8e2c3fd0b54411e41357a",
    ),
    # Server 2025 states 2025 for these two, all others 2022.
    _listed("AC06108CA348CC03B53795C64BF84403C1DBD341", _ROOT_3, _DOD_2, "2022-01-22", _WN11_DOD, _WN16_DOD, _WN25_DOD),
    _listed("A8C27332CCB4CA49554CE55D34062A7DD2850C02", _ROOT_2, _DOD_1, "2022-08-26", _WN16_DOD, _WN22_DOD, _WN25_DOD),
    _listed(
        "FFAD03329B9E527A43EEC66A56F9CBB5393E6E13",
        _ROOT_3,
        _DOD_2,
        "2018-09-23",
        *(_WN16_DOD_BEFORE, _WN19_DOD_BEFORE),
        sha256="fc326b6b92fd2a3dd0c2961428672bf10f974552319f6930c62c6c791d18e84a",
    ),
    _listed(
        "FCE1B1E25374DD94F5935BEB86CA643D8C8D1FF4",
        _ROOT_3,
        _DOD_2,
        "2019-02-17",
        *(_WN16_DOD_BEFORE, _WN19_DOD_BEFORE),
        sha256="42e59ccbf68c413a10dd1bb6bc41a930bf1228e16905d9301559cfc4083d589b",
    ),
    _listed(
        "22BBE981F0694D246CC1472ED2B021DC8540A22F", _ROOT_2, _DOD_1, "2019-09-06", _WN16_DOD_BEFORE, _WN19_DOD_BEFORE
    ),
    _listed(
        "9B74964506C7ED9138070D08D5F8B969866560C8",
        _ROOT_3,
        _CCEB_2,
        "2025-07-18",
        *(_WN10_CCEB, _WN11_CCEB, _WN16_CCEB, _WN19_CCEB, _WN22_CCEB),
    ),
    _listed("D471CA32F7A692CE6CBB6196BD3377FE4DBCD106", _ROOT_6, _CCEB_2, "2026-07-18", _WN11_CCEB, _WN19_CCEB),
    _listed("AF132AC65DE86FC4FB3FE51FD637EBA0FF0B12A9", _ROOT_3, _CCEB_2, "2022-08-26", _WN16_CCEB_2021),
    _listed(
        "929BF3196896994C0A201DF4A5B71F603FEFBF2E",
        _ROOT_3,
        _CCEB_2,
        "2019-09-27",
        *(_WN16_CCEB_BEFORE, _WN19_CCEB_BEFORE),
        sha256="925820ceae31ca372175d0eda58063e0bf8d7f6bd1a6de007d22861bb6270b62",
    ),
    _listed("DA36FAF56B2F6FBA1604F5BE46D864C9FA013BA3", _ROOT_2, _CCEB_1, "2019-03-09", _WN19_CCEB_BEFORE),
)
"""Every certificate that a STIG was found to list."""

_BY_SHA1: Final = {it.sha1: it for it in DISALLOWED}


def disallowed_by_stig(certificate: Certificate) -> Disallowed | None:
    """Return the entry of this certificate; None where no STIG is known to list it.

    Windows and the STIGs identify a certificate by SHA-1. An attacker who makes another certificate with the same SHA-1
    only has it refused. Where the certificate itself is known, its SHA-256 must match as well.
    """
    # SHA-1 identifies here; it protects nothing.
    found = _BY_SHA1.get(hashlib.sha1(certificate.der, usedforsecurity=False).hexdigest())
    if found is None or found.sha256 not in {None, certificate.sha256}:
        return None
    return found
