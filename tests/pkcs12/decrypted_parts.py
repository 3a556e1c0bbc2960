"""The parts of a PKCS#12 file that a password decrypts, at any depth, found by their shape only."""

from __future__ import annotations

from asn1crypto import keys as asn1_keys
from asn1crypto import parser

from pkcs12kit.errors import InputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12.algorithms import DecryptionError
from pkcs12kit.pkcs12.asn1 import is_one_sequence
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.encryption import decrypt, read_encryption
from pkcs12kit.pkcs12.passwords import encode_password

from .pfx_parts import der


def children(contents):
    """The encodings in the contents of a constructed one, up to the first that is damaged."""
    position = 0
    while position < len(contents):
        try:
            length = sum(map(len, parser.parse(contents[position:])[3:]))
        except ValueError:
            return
        yield contents[position : position + length]
        position += length


def parts_of(data, password):
    """Yield every encoding in a file that may be encrypted, also in what the password decrypts."""
    waiting = [data]
    while waiting:
        octets = waiting.pop()
        try:
            _, method, _, _, contents, _ = parser.parse(octets, strict=True)
        except ValueError:
            continue
        if opened_shape(octets) is not None:
            yield octets
        waiting.append(opened(octets, password) or b"")
        if method == 0 and octets[0] == 0x04:
            waiting.append(contents)
        waiting.extend(children(contents) if method else ())


def opened_shape(octets):
    """The encryption and ciphertext of an EncryptedPrivateKeyInfo or EncryptedContentInfo; None for another thing."""
    fields = list(children(parser.parse(octets)[4])) if octets[:1] == b"\x30" else []
    if len(fields) == 3 and fields[2][0] == 0x80:  # EncryptedContentInfo: a type, and [0] for the octets
        fields = [fields[1], der(0x04, parser.parse(fields[2])[4])]
    try:
        sequence = asn1_keys.EncryptedPrivateKeyInfo.load(der(0x30, b"".join(fields)), strict=True)
        found = read_encryption(sequence["encryption_algorithm"]), sequence["encrypted_data"].native
    except (ValueError, TypeError, LookupError):
        return None
    return found if found[0].derivation is not None else None


def opened(octets, password):
    """The plaintext of such an encoding, if the password decrypts it to one SEQUENCE."""
    shape = opened_shape(octets)
    if shape is None or password is None:
        return None
    try:
        plain = decrypt(*shape, encode_password(password), WorkBudget(DEFAULT_LIMITS))
    except (DecryptionError, InputError):
        return None
    return plain if is_one_sequence(plain) else None


def plaintexts_of(data, password, *, within=None):
    """The octets that a password decrypts in a file, whose outer parts the password ``within`` decrypts."""
    parts = parts_of(data, password if within is None else within)
    return [plain for plain in (opened(part, password) for part in parts) if plain is not None]
