"""The table of readers: programs that open PFX files, by version, with the source of each statement about them.

An entry stands for all versions that its title names: if one of them refuses a file, the answer is no. Where an update
brought an ability, the version has an entry for every update and one from that update on. If nothing is
known, the answer is unknown, and a profile is never chosen on it. Nothing in the table was concluded from the behaviour
of another program, or of another version that was not tried or described. "Tried by us" means that the tests of this
project did it, with the version that the source names. A key counts as opened if the program can sign with it.

MobileIron Core, now Ivanti EPMM, is not in the table. Its documentation says that it accepts PKCS #12 files with at
most one private key each (https://help.ivanti.com/mi/help/en_US/CORE/11.x/dmga/DMGfiles/
Cert_Enroll_s_1_ConfigUserProvided.htm); about algorithms and iterations we found nothing there.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from pkcs12kit.pkcs12.reader_libraries import BOUNCY_CASTLE, GNUTLS, GO_CRYPTO, GO_SSLMATE, JAVA, NSS, OPENSSL
from pkcs12kit.pkcs12.reader_platforms import DOTNET, FIPS, SYSTEMS, WINDOWS
from pkcs12kit.versions import Family

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pkcs12kit.pkcs12.compatibility import Reader
    from pkcs12kit.versions import Number


def _family(name: str, title: str, readers: Iterable[Reader], numbers: Mapping[str, Number] | None = None) -> Family:
    """Return a family, with the numbers in the names of its readers unless ``numbers`` has another one."""
    own = dict(numbers or {})
    return Family(
        name=name,
        title=title,
        numbers={
            reader.name: own.get(reader.name, tuple(map(int, reader.name.removeprefix(f"{name}-").split("."))))
            for reader in readers
        },
    )


def _whole(reader: Reader) -> Family:
    """Return the family of a reader that stands for all versions."""
    return Family(name=reader.name, title=reader.title, numbers={reader.name: ()})


FAMILIES: Final = (
    _family("openssl", "OpenSSL", OPENSSL, {"openssl-1.1": (1, 1, 1)}),
    _family("java", "Java", JAVA),
    _family("windows", "Windows Server", WINDOWS),
    *map(_whole, SYSTEMS),
    _family("nss", "NSS", NSS),
    _family("gnutls", "GnuTLS", GNUTLS),
    _family("bouncycastle", "Bouncy Castle for Java", BOUNCY_CASTLE),
    _family("go-crypto", "Go's golang.org/x/crypto/pkcs12", GO_CRYPTO),
    _family("go-sslmate", "Go's software.sslmate.com/src/go-pkcs12", GO_SSLMATE),
    Family(
        name="go",
        title="Go, with either of these packages, because its own library opens no PFX",
        numbers={"go-1.19": (1, 19), "go-1.24": (1, 24)},
    ),
    _family("dotnet", ".NET", DOTNET),
    *map(_whole, FIPS),
)
"""The programs, each with its versions."""

ENTRIES: Final = {
    reader.name: reader
    for reader in chain(
        OPENSSL, JAVA, WINDOWS, SYSTEMS, NSS, GNUTLS, BOUNCY_CASTLE, GO_CRYPTO, GO_SSLMATE, DOTNET, FIPS
    )
}
"""Every entry of the table, by name."""

GROUPS: Final = {
    "openssl-3": ("openssl-3.0", "openssl-3.5"),
    "go-1.19": ("go-crypto-0.4", "go-sslmate-0.0"),
    "go-1.24": ("go-crypto-0.25", "go-sslmate-0.5"),
}
"""Names for several entries, all of which have to open a file: an old name, and Go with either of its packages."""
