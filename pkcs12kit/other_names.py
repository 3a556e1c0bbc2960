"""Names that other programs use, or people say, and the name of the same thing here: for 'Did you mean ...?'."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    # what was typed: the options that are meant, the most likely first
    **dict.fromkeys(
        ("root", "root-ca", "roots", "trust", "trusted", "trust-anchor", "anchors", "trusted-cert", "cacert"),
        ("--anchor",),
    ),
    **dict.fromkeys(
        ("ca", "cafile", "CAfile", "ca-file", "ca-cert", "ca-bundle", "bundle-file"), ("--anchor", "--certs")
    ),
    **dict.fromkeys(
        ("chain", "intermediate", "intermediates", "untrusted", "ca-certs", "cas", "capath", "CApath", "certfile"),
        ("--certs",),
    ),
    **dict.fromkeys(("certificate", "server-cert", "crt", "leaf"), ("--cert",)),
    **dict.fromkeys(("inkey", "private-key", "keyfile", "key-file"), ("--key",)),
    **dict.fromkeys(("p12", "pfx", "keystore", "in"), ("--pkcs12", "--from")),
    **dict.fromkeys(("output", "o", "outfile", "dest", "destination"), ("--out", "--into")),
    **dict.fromkeys(("password", "pass", "passphrase", "passin", "passout", "storepass", "pw"), ("--password-file",)),
    **dict.fromkeys(("host", "hostname", "servername", "name", "dns", "sni", "verify-hostname"), ("--server-name",)),
    **dict.fromkeys(("time", "date", "attime", "when"), ("--at",)),
    **dict.fromkeys(("format", "form", "outform", "type"), ("--to",)),
    **dict.fromkeys(("reader", "target-system", "os", "for-device"), ("--for", "--device")),
    **dict.fromkeys(("client",), ("--clients",)),
    **dict.fromkeys(("legacy", "encryption", "cipher"), ("--profile",)),
    **dict.fromkeys(("alias", "friendlyname", "caname"), ("--friendly-name", "--ca-name")),
    **dict.fromkeys(("download", "online", "aia"), ("--fetch",)),
    **dict.fromkeys(("verbose", "v"), ("--debug", "--all")),
    **dict.fromkeys(("crl-check", "crl_check", "crls"), ("--crl", "--revocation")),
}
_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("pfx", "p12", ".p12", "pkcs#12", "pkcs-12", "pkcs"), ("pkcs12",)),
    **dict.fromkeys(("crt", "cer", "key", "nginx", "apache", "haproxy", ".pem", "x509"), ("pem",)),
    **dict.fromkeys(("ipad", "iphone", "ipados", "apple", "ios-17", "ios-18"), ("ios",)),
    **dict.fromkeys(("mac", "osx", "os-x", "mac-os", "macbook", "keychain", "safari"), ("macos",)),
    **dict.fromkeys(("pixel", "samsung", "galaxy", "chromebook"), ("android",)),
    **dict.fromkeys(("windows", "win", "windows-11", "windows-10", "win11", "iis", "server-2022"), ("windows-2022",)),
    **dict.fromkeys(("windows-xp", "windows-7", "windows-2012", "windows-2008", "win7"), ("windows-2016",)),
    **dict.fromkeys(("java", "tomcat", "keytool", "jdk", "jre", "java-21", "java-11"), ("java-17", "java-26", "java")),
    **dict.fromkeys(("openssl", "openssl-1.1", "openssl-3.0"), ("openssl-3", "openssl")),
    **dict.fromkeys(("firefox", "thunderbird", "mozilla"), ("nss",)),
    **dict.fromkeys((".net", "c#", "powershell"), ("dotnet",)),
    **dict.fromkeys(("fips", "fips-140"), ("fips-140-3",)),
    **dict.fromkeys(("bc", "bouncy-castle"), ("bouncycastle",)),
}


def meant_options(typed: str, options: Collection[str]) -> tuple[str, ...]:
    """Return the options of a command that someone means who typed another one; none if that is not known."""
    return tuple(one for one in _OPTIONS.get(typed.lstrip("-"), ()) if one in options)


def meant_values(typed: str, values: Collection[str]) -> tuple[str, ...]:
    """Return the values that are meant, or else those that are spelled like what was typed."""
    word = typed.strip().lower()
    meant = tuple(one for one in _VALUES.get(word, ()) if one in values)
    return meant or tuple(get_close_matches(word, values))
