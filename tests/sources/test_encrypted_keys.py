"""Encrypted private keys as OpenSSL writes them: each scheme is opened or named, and never called a wrong password."""

from __future__ import annotations

import random
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.errors import InputError, PasswordError, Pkcs12KitError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.sources.keys import read_private_key

PASSWORD = "correct horse"
KEY = ec.generate_private_key(ec.SECP256R1())
PLAIN = KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

# Names of OpenSSL for PBES2, with what is shown of a cipher that is not supported.
PBES2 = {
    **dict.fromkeys(("aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "des-cbc", "des-ede3-cbc", "rc4", "seed-cbc")),
    **dict.fromkeys(("camellia-128-cbc", "camellia-192-cbc", "camellia-256-cbc", "rc2-cbc", "rc2-64-cbc")),
    **dict.fromkeys(("rc2-40-cbc", "bf-cbc", "cast5-cbc", "sm4-cbc")),
    "aria-128-cbc": r"ARIA-128-CBC \(1\.2\.410\.200046\.1\.1\.2\)",
    "aria-192-cbc": r"ARIA-192-CBC \(1\.2\.410\.200046\.1\.1\.7\)",
    "aria-256-cbc": r"ARIA-256-CBC \(1\.2\.410\.200046\.1\.1\.12\)",
    "aes-256-cfb": r"AES-256-CFB \(2\.16\.840\.1\.101\.3\.4\.1\.44\)",
    "aes-128-ecb": r"AES-128-ECB \(2\.16\.840\.1\.101\.3\.4\.1\.1\)",
    "camellia-256-ctr": r"Camellia-256-CTR \(0\.3\.4401\.5\.3\.1\.9\.49\)",
    "seed-ofb": r"SEED-OFB \(1\.2\.410\.200004\.1\.6\)",
    "sm4-ctr": r"SM4-CTR \(1\.2\.156\.10197\.1\.104\.7\)",
}
PRFS = ["MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA512-224", "SHA512-256"]
PBES1 = ["MD5-DES", "MD5-RC2-64", "SHA1-DES", "SHA1-RC2-64"]
PBES1 += ["SHA1-RC4-128", "SHA1-RC4-40", "SHA1-3DES", "SHA1-2DES", "SHA1-RC2-128", "SHA1-RC2-40"]
TRADITIONAL = ["aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "camellia-128-cbc", "camellia-192-cbc", "camellia-256-cbc"]
TRADITIONAL += ["des-cbc", "des-ede-cbc", "des-ede3-cbc", "rc2-cbc", "rc2-64-cbc", "rc2-40-cbc", "seed-cbc", "bf-cbc"]
TRADITIONAL += ["cast5-cbc", "sm4-cbc"]
TRADITIONAL_UNSUPPORTED = ["aria-256-cbc", "aes-256-cfb", "des-ede3-ofb", "camellia-128-ctr", "desx-cbc"]


@pytest.fixture(scope="module")
def encrypt(require_tool, cannot_run, tmp_path_factory):
    """Encrypt the key with a command of OpenSSL; that OpenSSL has to be built with the algorithm."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "plain.pem").write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def run(command, *options):
        words = [
            require_tool("openssl"),
            command,
            "-in",
            folder / "plain.pem",
            "-passout",
            f"pass:{PASSWORD}",
            *options,
        ]
        done = subprocess.run(
            [*words, "-provider", "legacy", "-provider", "default"], capture_output=True, timeout=60, check=False
        )
        if done.returncode:
            cannot_run(f"OpenSSL does not write it: {done.stderr.decode()[-80:]}")
        return done.stdout

    return run


def read(data, password=PASSWORD):
    """Read a key as ``load_identity`` does."""
    key = read_private_key(data, name="server.key", password=password, limits=DEFAULT_LIMITS)
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def assert_opens(data):
    """Check that the password opens it, that another is called wrong, and that one is asked for."""
    assert read(data) == PLAIN
    with pytest.raises(PasswordError, match=r"^server\.key: the password does not open the private key"):
        read(data, "hunter2")
    with pytest.raises(PasswordError, match=r"^server\.key: the private key is encrypted, and no password was given"):
        read(data, None)


def assert_named(data, name):
    """Check that the scheme is named, with and without a password, and that the password is not blamed."""
    for password in (PASSWORD, "hunter2", None):
        with pytest.raises(InputError, match=rf"^server\.key: .*{name}.* not supported") as raised:
            read(data, password)
        assert not isinstance(raised.value, PasswordError)
        assert "password" not in str(raised.value)


@pytest.mark.parametrize("cipher", PBES2)
def test_ciphers_of_pbes2(encrypt, cipher):
    """RFC 8018 section 6.2: every cipher in CBC mode that a library here has; the others by name."""
    data = encrypt("pkcs8", "-topk8", "-v2", cipher)
    if PBES2[cipher] is None:
        assert_opens(data)
    else:
        assert_named(data, PBES2[cipher])


@pytest.mark.parametrize("prf", [f"hmacWith{name}" for name in PRFS] + ["hmac-md5", "hmac-sha1"])
def test_pseudorandom_functions_of_pbkdf2(encrypt, prf):
    """RFC 8018 appendix B.1, and HMAC-MD5, for which there are two object identifiers."""
    assert_opens(encrypt("pkcs8", "-topk8", "-v2", "aes-128-cbc", "-v2prf", prf))


@pytest.mark.parametrize("scheme", PBES1)
def test_schemes_of_pbes1_and_pkcs12(encrypt, scheme):
    """RFC 8018 section 6.1 and RFC 7292 appendix C."""
    assert_opens(encrypt("pkcs8", "-topk8", "-v1", f"PBE-{scheme}"))


@pytest.mark.parametrize("cipher", TRADITIONAL)
def test_ciphers_of_traditional_pem(encrypt, cipher):
    """RFC 1421 section 4.6.1.3 with OpenSSL's ciphers."""
    assert_opens(encrypt("ec", f"-{cipher}"))


@pytest.mark.parametrize("cipher", TRADITIONAL_UNSUPPORTED)
def test_other_ciphers_of_traditional_pem_are_named(encrypt, cipher):
    """DEK-Info has the cipher's name; no password is asked for."""
    assert_named(encrypt("ec", f"-{cipher}"), f"encrypted with {cipher.upper()}, which is")


def _dek_info(text, change):
    lines = text.split(b"\n")
    return b"\n".join(change(line) if line.startswith(b"DEK-Info") else line for line in lines)


def _swap(text):
    lines = text.split(b"\n")
    lines[1:3] = reversed(lines[1:3])
    return b"\n".join(lines)


FORMS = {
    "blanks at the ends of lines": lambda text: text.replace(b"\n", b"  \t \n"),
    "indentation": lambda text: b"".join(b"    " + line + b"\n" for line in text.splitlines()),
    "tabs": lambda text: b"".join(b"\t" + line + b"\n" for line in text.splitlines()),
    "CR": lambda text: text.replace(b"\n", b"\r"),
    "CRLF": lambda text: text.replace(b"\n", b"\r\n"),
    "CR twice": lambda text: text.replace(b"\n", b"\r\r\n"),
    "empty lines between": lambda text: text.replace(b"\n", b"\n\n"),
    "no empty line": lambda text: text.replace(b"\n\n", b"\n"),
    "one line": lambda text: text.replace(b"\n", b" "),
    "text around": lambda text: b"Bag Attributes: x\n" + text + b"\ntrailing: text\n",
    "UTF-16": lambda text: text.decode().encode("utf-16"),
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text,
    "no line end at the end": lambda text: text.rstrip(),
    "long lines": lambda text: b"\n".join(
        (*text.splitlines()[:4], b"".join(text.splitlines()[4:-1]), text.splitlines()[-1])
    ),
}
HEADERS = {
    "lower-case hexadecimal": lambda text: _dek_info(text, lambda line: line[:22] + line[22:].lower()),
    "lower-case names": lambda text: text.replace(b"Proc-Type", b"proc-type").replace(b"DEK-Info", b"dek-info"),
    "lower-case cipher": lambda text: text.replace(b"AES-256-CBC", b"aes-256-cbc"),
    "blanks in headers": lambda text: text.replace(b"4,", b" 4 , ").replace(b"CBC,", b"CBC , ").replace(b": ", b" :  "),
    "no blank after the colon": lambda text: text.replace(b": ", b":"),
    "folded": lambda text: text.replace(b"CBC,", b"CBC,\n "),
    "other headers": lambda text: text.replace(b"DEK-Info", b"X-Comment: a:b, c\nDEK-Info").replace(
        b"\n\n", b"\nX: y\n\n"
    ),
    "other order": _swap,
}


@pytest.fixture(scope="module")
def texts(encrypt):
    """The key encrypted in traditional PEM, not encrypted, and not encrypted with a header."""
    plain = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    first, _, rest = plain.partition(b"\n")
    return encrypt("ec", "-aes-256-cbc"), plain, first + b"\nProc-Type: 4,CLEAR\nX-Comment: a b\n\n" + rest


@pytest.mark.parametrize("form", FORMS)
def test_pem_in_the_forms_that_editors_and_transports_make(texts, form):
    """RFC 7468 section 2: white space counts for nothing, in keys that are encrypted and in those that are not."""
    for text in texts[: 2 if form == "one line" else None]:  # a header of another name ends with its line
        assert read(FORMS[form](text)) == PLAIN


@pytest.mark.parametrize("form", HEADERS)
def test_headers_of_other_programs(texts, form):
    """RFC 1421 section 4.6: names and values in other spellings, more headers, another order."""
    assert HEADERS[form](texts[0]) != texts[0]
    assert read(HEADERS[form](texts[0])) == PLAIN
    for lines in ("CR", "no empty line", "indentation"):
        assert read(FORMS[lines](HEADERS[form](texts[0]))) == PLAIN


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text.replace(b"DEK-Info", b"X-Info"), "DEK-Info, which names the cipher, is missing"),
        (lambda text: _dek_info(text, lambda line: line.partition(b",")[0]), "IV has the wrong length"),
        (lambda text: _dek_info(text, lambda line: line[:-2]), "IV has the wrong length"),
        (lambda text: _dek_info(text, lambda line: line[:-1] + b"x"), "IV in its DEK-Info is not hexadecimal"),
        (lambda text: text.replace(b"\n\n", b"\n\n@"), "base64 is damaged"),
    ],
)
def test_damaged_headers_have_their_own_messages(texts, change, sentence):
    """The part that is damaged is named, and the password is not."""
    with pytest.raises(InputError, match=rf"^server\.key: .*{sentence}") as raised:
        read(change(texts[0]))
    assert not isinstance(raised.value, PasswordError)


@pytest.mark.parametrize("label", ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"])
def test_the_content_of_a_block_decides_not_its_label(texts, label):
    """PKCS#8 in a block for RSA, SEC 1 in one for PKCS#8, an unencrypted key in one for encrypted keys."""
    for data in (texts[1], KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())):
        assert read(data.replace(b" EC PRIVATE KEY", b" PRIVATE KEY").replace(b"PRIVATE KEY", label.encode())) == PLAIN


def outcome_of(data):
    """Return the key, or the error of the package."""
    try:
        return read(data)
    except Pkcs12KitError as error:
        return error


@pytest.mark.parametrize("seed", range(6))
def test_changed_octets_give_errors_of_the_package_only(encrypt, texts, seed):
    """Each change of an encrypted key gives the key, or an error that begins with the file's name."""
    choose = random.Random(seed)  # noqa: S311 - not for secrets
    sources = [
        encrypt("pkcs8", "-topk8", "-iter", "1", *options) for options in (("-v2", "aes-128-cbc"), ("-v2", "rc4"))
    ]
    sources += [encrypt("pkcs8", "-topk8", "-v1", "PBE-SHA1-RC2-40"), texts[0]]
    for data in sources:
        for _ in range(60):
            changed = bytearray(data)
            for _ in range(choose.randint(1, 3)):
                changed[choose.randrange(len(changed))] = choose.randrange(256)
            outcome = outcome_of(bytes(changed))
            assert outcome == PLAIN or str(outcome).startswith("server.key: ")
