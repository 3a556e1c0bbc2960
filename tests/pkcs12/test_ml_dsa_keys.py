"""Private keys for ML-DSA: each form of RFC 9881 is read, and a key whose parts disagree is refused."""

from __future__ import annotations

import copy
import pickle
import warnings
from functools import cache

import pytest
from asn1crypto import core
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from OpenSSL import crypto

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.key_encodings import UnknownKeyError, UnusableKeyError
from pkcs12kit.pkcs12.ml_dsa_keys import ml_dsa_name
from pkcs12kit.pkcs12.private_keys import UnreadableKeyError, load_private_key

from ..thoroughness import mostly_slow

TYPES = (lab.KeyType.ML_DSA_44, lab.KeyType.ML_DSA_65, lab.KeyType.ML_DSA_87)
FORMS = ("seed", "expanded", "both", "bare seed", "bare expanded")
PASSWORD = "correct horse"
# Where the parts of an expanded key begin (FIPS 204 algorithm 24).
RHO, RANDOMNESS, TR, S1 = 0, 32, 64, 128


def pkcs8(private_key):
    """Encode a key as pyca does, or as it is kept."""
    return private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@cache
def made(key_type):
    """A CA, a server below it with this type of key, and the seed and the expanded key of that."""
    authority = lab.Authority.create("CA")
    server = authority.issue_server("www.example.mil", key_type=key_type)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        loaded = crypto.load_privatekey(crypto.FILETYPE_ASN1, pkcs8(server.private_key))
        by_openssl = crypto.dump_privatekey(crypto.FILETYPE_ASN1, loaded)  # OpenSSL writes both
    both = core.Sequence.load(core.Sequence.load(by_openssl)[2].native)
    return authority, server, both[0].native, both[1].native


def encoded(key_type, form, *, seed=None, expanded=None, parameters=None):
    """Encode the key of ``made`` in a form, with a part of another key perhaps."""
    _, server, own_seed, own_expanded = made(key_type)
    seed, expanded = seed or own_seed, expanded or own_expanded
    octets = {
        "seed": b"\x80\x20" + seed,
        "expanded": core.OctetString(expanded).dump(),
        "both": core.SequenceOf([seed, expanded], spec=core.OctetString).dump(),
        "bare seed": seed,
        "bare expanded": expanded,
    }[form]
    identifier = core.Sequence.load(pkcs8(server.private_key))[1].dump()
    if parameters is not None:
        identifier = core.Sequence.load(identifier)[0].dump() + parameters
        identifier = b"\x30" + bytes([len(identifier)]) + identifier
    contents = b"\x02\x01\x00" + identifier + core.OctetString(octets).dump()
    return _sequence(contents)


def _sequence(contents):
    length = len(contents)
    return b"\x30" + (bytes([length]) if length < 128 else b"\x82" + length.to_bytes(2)) + contents


def load(der):
    """Load a key."""
    return load_private_key(der, WorkBudget(pk.DEFAULT_LIMITS))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("key_type", TYPES)
def test_every_form_is_read(key_type, form):
    """RFC 9881 section 6: a seed, an expanded key, or both; and the octets themselves, as programs wrote before it."""
    _, server, seed, _ = made(key_type)
    key = load(encoded(key_type, form))
    assert key.public_key() == server.private_key.public_key()
    assert ml_dsa_name(key) == key_type.value.upper()
    standard = form.removeprefix("bare ")
    assert pkcs8(key) == encoded(key_type, standard)
    assert pkcs8(load(pkcs8(key))) == pkcs8(key)
    assert repr(seed)[2:-1] not in repr(key)
    assert copy.deepcopy(key).public_key() == copy.copy(key).public_key() == key.public_key()
    if standard == "expanded":
        for forbidden in (lambda: key.sign(b"data"), key.private_bytes_raw, lambda: key.sign_mu(bytes(64))):
            with pytest.raises(UnsupportedAlgorithm, match="without its seed"):
                forbidden()
    else:
        key.public_key().verify(key.sign(b"data"), b"data")
        key.public_key().verify(key.sign(b"data", b"context"), b"data", b"context")
        assert key.private_bytes_raw() == seed
        closed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
        assert closed.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_goes_through_a_pkcs12_file(form, tmp_path):
    """What --key gives is in the file, form and all; the path is below a CA with another algorithm."""
    key_type = lab.KeyType.ML_DSA_44
    authority, server, _, _ = made(key_type)
    (tmp_path / "server.key").write_bytes(encoded(key_type, form))
    identity = pk.load_identity(key=tmp_path / "server.key", certificate=server.certificate)
    anchor = pk.TrustAnchor.from_certificate(authority.certificate)
    path = pk.find_path(identity.certificate, certificates=[], trust_anchors=[anchor])
    data = pk.encode_pfx(pk.Bundle.from_path(identity, path), password=PASSWORD)
    (key,) = pk.decode_pfx(data, password=PASSWORD).keys
    assert key.private_key_info == encoded(key_type, form.removeprefix("bare "))
    assert key.certificates == (server.certificate,)
    assert pk.load_identity(pkcs12=data, password=PASSWORD).certificate == server.certificate


@pytest.mark.parametrize("key_type", TYPES)
def test_an_expanded_key_that_is_not_that_of_its_seed_is_refused(key_type):
    """RFC 9881 section 8.2: they must be compared, or a signature by one may not verify with the key of the other."""
    other = key_type.generate().private_bytes_raw()
    wrong = encoded(key_type, "both", seed=other)
    with pytest.raises(UnusableKeyError, match="whose expanded key is not that of the seed beside it"):
        load(wrong)
    for part in (RHO, RANDOMNESS, TR, S1, -1):
        with pytest.raises(UnusableKeyError, match="is not that of the seed"):
            load(encoded(key_type, "both", expanded=changed(made(key_type)[3], part)))


def changed(octets, position):
    """Return octets with one bit changed."""
    mutated = bytearray(octets)
    mutated[position] ^= 1
    return bytes(mutated)


@pytest.mark.parametrize("key_type", TYPES)
def test_a_damaged_expanded_key_is_refused(key_type):
    """FIPS 204 algorithm 25: rho, tr, s1, s2 and t0 belong together. The randomness K is any 32 octets."""
    for form in ("expanded", "bare expanded"):
        for part in (RHO, TR, S1, -1):
            with pytest.raises(UnusableKeyError, match="whose expanded key is damaged"):
                load(encoded(key_type, form, expanded=changed(made(key_type)[3], part)))


def test_other_encodings_are_refused(tmp_path):
    """Neither a length of another type of key nor bytes after it are accepted, and the message names the algorithm."""
    key_type = lab.KeyType.ML_DSA_65
    _, _, seed, expanded = made(key_type)
    of_44 = made(lab.KeyType.ML_DSA_44)[3]
    for form, given in (
        ("seed", {"seed": seed[:-1]}),
        ("bare seed", {"seed": seed + b"\x00"}),
        ("both", {"seed": seed[:-1]}),
        ("both", {"expanded": of_44}),
        ("expanded", {"expanded": of_44}),
        ("bare expanded", {"expanded": expanded + b"\x00"}),
    ):
        with pytest.raises(UnusableKeyError, match=r"damaged private key of the algorithm ML-DSA-65 \(2\.16"):
            load(encoded(key_type, form, **given))
    for parameters in (b"\x05\x00", b"\x04\x00"):
        with pytest.raises(UnusableKeyError, match="with parameters, which this algorithm does not have"):
            load(encoded(key_type, "seed", parameters=parameters))
    (tmp_path / "server.key").write_bytes(encoded(key_type, "both", seed=bytes(32)))
    with pytest.raises(
        pk.InputError, match=r"server\.key: a private key of the algorithm ML-DSA-65 .* not that of"
    ) as no:
        pk.load_identity(key=tmp_path / "server.key", certificate=made(key_type)[1].certificate)
    assert repr(seed)[2:-1] not in str(no.value)


def test_the_public_key_beside_it_must_be_its_own():
    """RFC 5958 section 2, with Bouncy Castle's habit of writing the public key after an expanded key."""
    key_type = lab.KeyType.ML_DSA_44
    for of, says in ((made(key_type)[1].private_key, None), (key_type.generate(), "is not its own")):
        public = of.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        version_1 = core.Sequence.load(encoded(key_type, "bare expanded"))
        fields = b"\x02\x01\x01" + version_1[1].dump() + version_1[2].dump()
        der = _sequence(fields + b"\x81\x82" + (len(public) + 1).to_bytes(2) + b"\x00" + public)
        if says is None:
            assert load(der).public_key() == of.public_key()
            continue
        with pytest.raises(UnusableKeyError, match=says):
            load(der)


def test_a_key_of_its_own_kind_only():
    """Other keys are not for ML-DSA, and a kept key leaves this process no more than pyca's do."""
    assert ml_dsa_name(ec.generate_private_key(ec.SECP256R1())) is None
    with pytest.raises(TypeError):
        pickle.dumps(made(lab.KeyType.ML_DSA_44)[1].private_key)
    with pytest.raises(TypeError):
        pickle.dumps(load(encoded(lab.KeyType.ML_DSA_44, "both")))


@pytest.mark.parametrize("form", ["expanded", "both"])
@pytest.mark.parametrize("bit", mostly_slow(range(0, 8 * 2588, 1009), every=10))
def test_no_damaged_key_is_read_as_another(form, bit):
    """Wherever one bit of a key changes, it is refused, or it has the same public key: K has no other trace."""
    der = bytearray(encoded(lab.KeyType.ML_DSA_44, form))
    der[bit // 8] ^= 1 << bit % 8
    try:
        key = load(bytes(der))
    except (UnusableKeyError, UnknownKeyError, UnreadableKeyError, pk.LimitExceededError):
        return
    assert key.public_key() == made(lab.KeyType.ML_DSA_44)[1].private_key.public_key()
