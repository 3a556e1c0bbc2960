"""Bad input gets one clear sentence that names the file and what was found in it; never more work than its size."""

from __future__ import annotations

import base64
import dataclasses
import io
import os
import random
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import InputError, LimitExceededError
from pkcs12kit.limits import DEFAULT_LIMITS, KIB, MIB
from pkcs12kit.sources.identities import load_identity
from pkcs12kit.sources.keys import read_private_key
from pkcs12kit.sources.loading import load_certificates, load_trust_anchors

from ..counting import counted_calls
from ..thoroughness import examples, mostly_slow
from .conftest import der, issue, key_pem, make_ber_pkcs7, make_pkcs7, make_zip, pem


def _encrypted(leaf):
    return leaf[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))


def _public(leaf):
    return leaf[1].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class TestFound:
    """The error names the contents found in place of a certificate."""

    @pytest.mark.parametrize(
        ("make", "found"),
        [
            pytest.param(lambda _: b"", "nothing: it is empty", id="empty"),
            pytest.param(lambda _: b" \r\n", "nothing: it is empty", id="white space"),
            pytest.param(lambda _: b"\x89\x00\xff\x01" * 50, "binary data", id="binary noise"),
            pytest.param(lambda _: b"see attachment", "text without a PEM block", id="text"),
            pytest.param(lambda _: b"0123456789" * 9, "text without a PEM block", id="digits"),
            pytest.param(lambda _: b"<!DOCTYPE html><p>Sign in", "an HTML page", id="HTML"),
            pytest.param(lambda _: b"<?xml version='1.0'?><a/>", "an XML document", id="XML"),
            pytest.param(lambda leaf: der(leaf[0])[:-1], "ASN.1 data that is cut short", id="truncated DER"),
            pytest.param(lambda leaf: pem(leaf[0])[:-40], "cut short: its END line is missing", id="truncated PEM"),
            pytest.param(lambda leaf: make_pkcs7([der(leaf[0])])[:-9], "cut short", id="truncated PKCS#7"),
            pytest.param(lambda _: make_pkcs7([]), "a PKCS#7 bundle without certificates", id="PKCS#7 of none"),
            pytest.param(lambda leaf: key_pem(leaf[1]), "a private key", id="private key"),
            pytest.param(lambda leaf: base64.b64decode(b"".join(key_pem(leaf[1]).split(b"\n")[1:-2])), "a private key"),
            pytest.param(
                lambda leaf: key_pem(leaf[1]).replace(b"PRIVATE KEY", b"CERTIFICATE"),
                "a private key",
                id="private key labelled certificate",
            ),
            pytest.param(_encrypted, "an encrypted private key", id="encrypted private key"),
            pytest.param(_public, "a public key", id="public key"),
            pytest.param(lambda _: b"\xfe\xed\xfe\xed\0\0\0\2", "a Java keystore", id="Java keystore"),
        ],
    )
    def test_is_one_clear_sentence(self, tmp_path, leaf, make, found):
        """It begins with the file's name and is one line; nothing else is written anywhere."""
        file = tmp_path / "given.pem"
        file.write_bytes(make(leaf))
        with pytest.raises(InputError) as raised:
            load_certificates(file)
        sentence = str(raised.value)
        assert sentence.startswith(f"{file}: ")
        assert found in sentence
        assert "\n" not in sentence
        assert list(tmp_path.iterdir()) == [file]

    def test_requests_and_crls(self, request_pem, crl_pem):
        """In PEM and in DER; both together are both named."""
        for data, found in ((request_pem, "request"), (crl_pem, "revocation list"), (request_pem + crl_pem, " and ")):
            with pytest.raises(InputError, match=f"expected a certificate, found a certificate {found}|{found}"):
                load_certificates(data)
            body = base64.b64decode(b"".join(data.split(b"-----")[2].split()))
            with pytest.raises(InputError, match=r"a certificate (request|revocation list)"):
                load_certificates(body)

    def test_only_unreadable_certificates(self, tmp_path, chain):
        """The first reason is given, and how many more there are."""
        file = tmp_path / "bad.pem"
        file.write_bytes(pem(*chain).replace(b"MII", b"M*I"))
        with pytest.raises(InputError, match=r"bad\.pem: no certificate in it can be read: certificate 1: .* 2 more"):
            load_certificates(file)

    def test_one_bad_source_among_good_ones(self, chain, tmp_path):
        """Each source that the user named must hold a certificate, even if others do."""
        with pytest.raises(InputError, match="missing: no such file"):
            load_certificates(pem(*chain), tmp_path / "missing")

    def test_paths_that_are_none(self, tmp_path):
        """A missing file, a NUL, an over-long name, a file used as a folder, bytes as a path."""
        (tmp_path / "file").touch()
        for path in (tmp_path / "missing", "a\0b", "x" * 5000, tmp_path / "file" / "below"):
            with pytest.raises(InputError):
                load_certificates(path)
        with pytest.raises(TypeError):
            load_certificates(["a", "list"])

    def test_a_folder_where_a_key_is_expected(self, tmp_path, leaf):
        """Folders hold certificates; a key is one file."""
        with pytest.raises(InputError, match="a folder; expected a file"):
            load_identity(key=tmp_path, certificate=pem(leaf[0]))

    def test_permission_denied(self, tmp_path, chain, monkeypatch):
        """The system's reason, after the file's name."""
        from pkcs12kit.sources import reading

        def deny(path, *_, **__):
            raise PermissionError(13, "Permission denied", path)

        (tmp_path / "a.cer").write_bytes(der(chain[0]))
        monkeypatch.setattr(reading, "open", deny, raising=False)
        with pytest.raises(InputError, match=r"a\.cer: permission denied"):
            load_certificates(tmp_path / "a.cer")

    def test_no_standard_input(self, monkeypatch):
        """A service has none; an exhausted one is empty."""
        monkeypatch.setattr(sys, "stdin", None)
        with pytest.raises(InputError, match="standard input is not available"):
            load_certificates("-")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
        with pytest.raises(InputError, match="standard input: expected a certificate, found nothing"):
            load_certificates("-")


class TestSize:
    """``limits.input_bytes`` is held before more than it is in memory."""

    def test_a_file_of_one_gibibyte_is_not_read(self, tmp_path):
        """Its size is asked for first."""
        file = tmp_path / "giant.pem"
        with file.open("wb") as stream:
            stream.truncate(1024 * MIB)
        tracemalloc.start()
        for load in (load_certificates, lambda source: load_identity(key=source)):
            with pytest.raises(LimitExceededError, match=r"giant\.pem: larger than .*limits\.input_bytes"):
                load(file)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < MIB

    def test_what_has_no_size_is_read_up_to_the_limit(self, tmp_path, monkeypatch):
        """A device without end, standard input without end, and a pipe."""
        limits = dataclasses.replace(DEFAULT_LIMITS, input_bytes=64 * KIB)
        with pytest.raises(LimitExceededError):
            load_certificates("/dev/zero", limits=limits)
        with Path("/dev/zero").open("rb") as zeros:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(zeros))
            with pytest.raises(LimitExceededError, match="standard input: larger"):
                load_certificates("-", limits=limits)
        with pytest.raises(LimitExceededError, match="the bytes given: larger"):
            load_certificates(bytes(64 * KIB + 1), limits=limits)
        assert tmp_path

    def test_a_pipe_is_read_to_its_end(self, tmp_path, chain):
        """As ``<(command)`` in a shell gives one."""
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_bytes, args=(pem(*chain),))
        writer.start()
        assert len(load_certificates(pipe)) == 3
        writer.join()

    def test_the_limit_itself_is_accepted(self, chain):
        """Limits are inclusive."""
        data = der(chain[0])
        exact = dataclasses.replace(DEFAULT_LIMITS, input_bytes=len(data))
        assert len(load_certificates(data, limits=exact)) == 1

    def test_too_many_certificates_end_everything(self, tmp_path, chain):
        """``limits.certificates`` is no reject of one file, since every other would follow."""
        limits = dataclasses.replace(DEFAULT_LIMITS, certificates=2)
        (tmp_path / "chain.pem").write_bytes(pem(*chain))
        for source in (tmp_path, make_zip({"chain.pem": pem(*chain)}), b"-----BEGIN CERTIFICATE-----" * 3):
            with pytest.raises(LimitExceededError, match=r"limits\.certificates"):
                load_certificates(source, limits=limits)

    @pytest.mark.parametrize("load", [load_certificates, load_trust_anchors])
    def test_too_many_certificates_of_all_sources(self, chain, load):
        """The limit is one of all that is given to a call, not of each source."""
        limits = dataclasses.replace(DEFAULT_LIMITS, certificates=2)
        sources = [der(one) for one in chain]
        load(*sources[:2], limits=limits)
        with pytest.raises(LimitExceededError, match=r"limits\.certificates"):
            load(*sources, limits=limits)


HOSTILE = {
    "noise": lambda size: random.Random(1).randbytes(size),  # noqa: S311 - the same noise in every run
    "zeros": bytes,
    "dashes": lambda size: b"-" * size,
    "begin without end": lambda size: b"-----BEGIN " * (size // 11),
    "labels without end": lambda size: b"-----BEGIN CERTIFICATE" * (size // 22),
    "base64 without end": lambda size: b"M" * size,
    "a tag without end": lambda size: b"\x30\x80" + b"\xff" * size,
    "a tag without end, in a length": lambda size: b"\x30\x84" + size.to_bytes(4) + b"\x3f" + b"\xff" * (size - 1),
    "indefinite lengths": lambda size: b"\x30\x80" * (size // 2),
    "empty elements": lambda size: b"\x30\x84" + size.to_bytes(4) + b"\x05\x00" * (size // 2),
    "empty elements, indefinite": lambda size: b"\x30\x80" + b"\x05\x00" * (size // 2),
    "empty sequences": lambda size: b"\x30\x00" * (size // 2),
    "PKCS#7 of empty elements": lambda size: make_ber_pkcs7([b"\x05\x00" * (size // 2)]),
    "PKCS#7 of indefinite lengths": lambda size: make_ber_pkcs7([b"\x30\x80\x00\x00" * (size // 4)]),
    "PEM of one block": lambda size: (
        b"-----BEGIN CERTIFICATE-----\n" + b"MIIA" * (size // 4) + b"\n-----END CERTIFICATE-----"
    ),
    "headers without end": lambda size: (
        b"-----BEGIN CERTIFICATE-----\n" + b"a: b\n" * (size // 5) + b"-----END CERTIFICATE-----"
    ),
    "white space": lambda size: b"M" + b" " * size,
    "half a zip": lambda size: b"PK\x03\x04" + b"PK\x01\x02" * (size // 4),
    "UTF-16": lambda size: b"\xff\xfe" + b"\x00\xd8" * (size // 2),
}


def refuse(data):
    """Check that nothing of it counts as a certificate or a key."""
    with pytest.raises(InputError):
        load_certificates(data)
    with pytest.raises(InputError):
        read_private_key(data, name="key", password="x", limits=DEFAULT_LIMITS)


@pytest.mark.parametrize("make", mostly_slow(HOSTILE.values(), every=2), ids=HOSTILE)
def test_hostile_bytes_are_refused_in_few_calls(make):
    """1 MiB that is no certificate and no key costs three calls for each octet at most, mostly some hundreds in all."""
    data = make(MIB)
    with counted_calls() as calls:
        refuse(data)
    assert calls.total() < 3 * len(data)


@pytest.mark.slow
@pytest.mark.parametrize("make", mostly_slow(HOSTILE.values(), every=2), ids=HOSTILE)
def test_hostile_bytes_are_refused_in_linear_time(make):
    """16 MiB take some seconds of this process's time at most.

    A clock, as the work is within calls of C: in searches by regular expressions, which no count of calls sees. If one
    of them grew with the square of its input it would take hours.
    """
    data = make(16 * MIB)
    start = time.process_time()
    refuse(data)
    assert time.process_time() - start < 60


@st.composite
def _mutations(draw):
    """Real containers with some bytes replaced, cut off or repeated."""
    data = bytearray(draw(st.sampled_from(_seeds())))
    for _ in range(draw(st.integers(1, 4))):
        position = draw(st.integers(0, len(data) - 1))
        data[position : position + draw(st.integers(0, 3))] = draw(st.binary(max_size=4))
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.booleans()) else bytes(data)


_SEEDS: list[bytes] = []


def _seeds():
    if not _SEEDS:
        certificate, key = issue("Seed")
        encoded = der(certificate)
        _SEEDS.extend(
            [
                pem(certificate, certificate),
                encoded + encoded,
                make_pkcs7([encoded, encoded]),
                make_ber_pkcs7([encoded, encoded]),
                make_zip({"a": encoded, "b/c.pem": pem(certificate)}),
                key_pem(key) + pem(certificate),
                key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, _no_encryption()),
                key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
                ec.generate_private_key(ec.SECP256R1()).private_bytes(
                    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"x")
                ),
            ]
        )
    return _SEEDS


def _no_encryption():
    from cryptography.hazmat.primitives.serialization import NoEncryption

    return NoEncryption()


@given(data=st.binary(max_size=300) | _mutations())
@settings(max_examples=examples(400), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_any_bytes_give_a_pool_or_an_input_error(data):
    """For any bytes the result is a pool, or one :class:`InputError`, and nothing else."""
    try:
        pool = load_certificates(data, password="x")
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert isinstance(pool, CertificatePool)
        assert len(pool)
        for certificate in pool:
            assert certificate.to_json()
            assert certificate.node
            assert certificate.is_ca in {True, False}
    try:
        load_identity(key=data, certificate=data, key_password="x")
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - as above
