"""``build``: the one call of a provisioning script; its order, its errors, and nothing written but after a yes."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta

import pytest

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.builder import build as builder
from pkcs12kit.builder import output as output_file
from pkcs12kit.builder import server
from pkcs12kit.outputs import output as place
from pkcs12kit.paths import search

PASSWORD = "correct horse 42 battery"


@pytest.fixture
def output(tmp_path):
    """Where the file goes."""
    return tmp_path / "out" / "server.p12"


@pytest.fixture
def build(files, output):
    """Call ``build`` on the lab; a keyword given replaces its own."""
    output.parent.mkdir()

    def call(**changed):
        given = {
            "key": files.key,
            "certificate": files.certificate,
            "certificates": [files.certificates],
            "trust_anchors": [files.trust_anchor],
            "output": output,
            "password": PASSWORD,
        }
        return pk.build(**(given | changed))

    return call


@pytest.fixture
def order(monkeypatch):
    """Record in which order the steps of a build are taken."""
    steps = []

    def record(module, name):
        step = getattr(module, name)

        def recorded(*arguments, **keywords):
            steps.append(name)
            return step(*arguments, **keywords)

        monkeypatch.setattr(module, name, recorded)

    record(server, "load_server")
    for name in ("as_trust_anchors", "as_certificates", "confirm"):
        record(builder, name)
    record(search.PathRequest, "find_path")
    record(output_file, "encode_pfx")
    record(place, "write_private")
    return steps


class TestReport:
    """What comes back."""

    def test_report_and_file(self, build, output, replica):
        """Path, second opinion, certificates, profile, bytes and where they were written; a frozen value."""
        report = build()
        assert report.path.certificates == replica.valid_paths[0].certificates
        assert report.path.user_constrained_policy_set == {lab.COMMON_DEVICES}
        assert report.confirmation.opinion is pk.Opinion.VALID
        assert report.profile is pk.profiles.MODERN
        assert report.output == output
        assert output.read_bytes() == report.data
        assert report.certificates == replica.valid_paths[0].with_anchor
        assert (report.rejects, report.warnings) == ((), ())
        with pytest.raises(FrozenInstanceError):
            report.output = None

    def test_without_output_nothing_is_written(self, build, output):
        """The file is in the report alone."""
        report = build(output=None)
        assert report.output is None
        assert report.to_json()["output"] is None
        assert pk.decode_pfx(report.data, password=PASSWORD).private_key is not None
        assert list(output.parent.iterdir()) == []

    def test_json_ready(self, build):
        """``to_json`` has only what JSON has, and no data of the file."""
        report = build()
        text = json.dumps(report.to_json())
        assert json.loads(text)["bytes"] == len(report.data)

    def test_sources_as_bytes_paths_and_generators(self, build, files, replica):
        """Contents instead of paths; any iterable, made concrete once: an empty generator is not 'all of them'."""
        report = build(
            key=files.key.read_bytes(),
            certificate=files.certificate.read_bytes(),
            certificates=(path for path in [str(files.bundle)]),
            trust_anchors=iter([files.trust_anchor.read_bytes()]),
        )
        assert report.path.certificates == replica.valid_paths[0].certificates
        with pytest.raises(pk.InputError, match="no trust anchor given"):
            build(trust_anchors=(_ for _ in ()))

    @pytest.mark.parametrize("name", ["certificates", "trust_anchors"])
    def test_one_source_is_one(self, build, name, files, replica):
        """A path is one source, not as many as it has characters; so are bytes."""
        file = {"certificates": files.bundle, "trust_anchors": files.trust_anchor}[name]
        for one in (str(file), file, file.read_bytes()):
            assert build(**{name: one}).path.certificates == replica.valid_paths[0].certificates

    def test_rejects_and_warnings_come_as_they_come_up(self, build, files, tmp_path):
        """``on_warning`` hears of each, rejects first, before the file is written; the report has them too."""
        folder = tmp_path / "cas"
        folder.mkdir()
        (folder / "good.pem").write_bytes(files.bundle.read_bytes())
        (folder / "noise.cer").write_bytes(bytes(range(128, 256)))
        heard = []
        report = build(certificates=[folder], password="pässword", on_warning=heard.append)
        assert heard == [str(report.rejects[0]), *report.warnings]
        assert "noise.cer" in heard[0]
        assert "not printable ASCII" in heard[1]

    def test_rejects_are_heard_of_without_a_path_too(self, build, files, tmp_path):
        """What could not be read may be what is missing."""
        folder = tmp_path / "cas"
        folder.mkdir()
        (folder / "issuing.pem").write_bytes(files.issuing_ca.read_bytes())
        (folder / "noise.cer").write_bytes(bytes(range(128, 256)))
        heard = []
        with pytest.raises(pk.NoValidPathError):
            build(certificates=[folder], on_warning=heard.append)
        assert len(heard) == 1


class TestOrder:
    """Fail closed, and as early as possible."""

    def test_of_the_steps(self, build, order):
        """Identity, anchors, sources, path, second opinion, and only then the file."""
        build()
        assert list(dict.fromkeys(order)) == [
            *("load_server", "as_trust_anchors", "as_certificates", "find_path", "confirm"),
            *("encode_pfx", "write_private"),
        ]

    def test_mismatch_comes_first(self, build, order, output):
        """A key that is another's is refused before anything else is read, both fingerprints in the message."""
        other = lab.Authority.create("Other").issue_server("other.example").certificate
        with pytest.raises(pk.KeyMismatchError) as raised:
            build(certificate=other.to_pem().encode(), trust_anchors=["nowhere"], certificates=["nowhere"])
        assert order == ["load_server"]
        assert str(raised.value).count("the key, ") == 1
        assert len([word for word in str(raised.value).split() if len(word) == 64]) == 2
        assert not output.exists()

    def test_password_is_asked_for_last(self, build, order, files):
        """A function that gives it is called once there is a confirmed path, and never without one."""

        def password():
            order.append("password")
            return PASSWORD

        build(password=password)
        assert order[-3:] == ["password", "encode_pfx", "write_private"]
        order.clear()
        with pytest.raises(pk.NoValidPathError):
            build(password=password, certificates=[files.issuing_ca])
        assert "password" not in order

    def test_password_function_that_gives_up(self, build, output):
        """What it raises comes through, and nothing is written."""

        def password():
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            build(password=password)
        assert not output.exists()


class TestNo:
    """Whatever is raised, nothing was written."""

    @pytest.fixture(autouse=True)
    def nothing_written(self, output):
        """Check it after each test."""
        yield
        assert list(output.parent.iterdir()) == []

    def test_no_path(self, build, files, replica):
        """The attempts say what is missing, the most useful first."""
        with pytest.raises(pk.NoValidPathError) as raised:
            build(certificates=[files.issuing_ca])
        first = raised.value.attempts[0]
        assert first.reason is pk.FailureReason.ISSUER_NOT_FOUND
        assert first.certificates == (replica.server.certificate, replica.issuing_ca)

    def test_second_opinion_that_says_no(self, build, monkeypatch):
        """Our yes alone does not write a key; the error has the path and both reasons."""
        no = pk.Confirmation(opinion=pk.Opinion.INVALID, detail="it says so")
        monkeypatch.setattr(builder, "confirm", lambda *_: no)
        with pytest.raises(pk.ConfirmationError, match=r"pkcs12kit says valid, .* says: it says so") as raised:
            build()
        assert raised.value.confirmation is no
        assert raised.value.path.target is not None

    def test_second_opinion_judges_the_same_inputs(self, build, monkeypatch, replica):
        """The path that was chosen, at the same time, for the same policies."""
        asked = []

        def confirm(path, parameters):
            asked.append((path, parameters))
            return pk.Confirmation(opinion=pk.Opinion.INVALID, detail="recorded")

        monkeypatch.setattr(builder, "confirm", confirm)
        parameters = pk.ValidationParameters(time=replica.at, user_initial_policy_set={lab.COMMON_DEVICES})
        with pytest.raises(pk.ConfirmationError):
            build(parameters=parameters)
        ((path, seen),) = asked
        assert path.certificates == replica.valid_paths[0].certificates
        assert seen is parameters

    def test_time_and_server_name(self, build, replica):
        """Short for parameters; both together are refused as ambiguous."""
        with pytest.raises(pk.NoValidPathError):
            build(time=replica.at + timedelta(days=5000))
        with pytest.raises(pk.NoValidPathError, match=r"not for '?www\.example"):
            build(server_name="www.example")
        with pytest.raises(TypeError, match="into parameters"):
            build(parameters=pk.ValidationParameters(time=replica.at), server_name="www.example")
        with pytest.raises(ValueError, match="time zone"):
            build(time=replica.at.replace(tzinfo=None))

    def test_revocation(self, build, replica):
        """A revoked CA is a no where revocation is asked about."""
        crl = replica.authorities["issuing-37"].make_crl(
            revoked=[
                lab.CrlEntry(
                    serial_number=replica.server.certificate.serial_number, date=replica.at - timedelta(hours=2)
                )
            ]
        )
        revocation = pk.Revocation(mode=pk.RevocationMode.SOFT, crls=(crl,), ocsp_responses=())
        with pytest.raises(pk.NoValidPathError) as raised:
            build(revocation=revocation)
        assert pk.FailureReason.REVOKED in {attempt.reason for attempt in raised.value.attempts}

    @pytest.mark.parametrize(
        "changes",
        [
            {"key": None, "certificate": None},
            {"pkcs12": b"x"},
            {"certs_only": True},
            {"key": None, "certificate": None, "certs_only": True},
        ],
    )
    def test_identities_that_are_none(self, build, changes):
        """Nothing, two, or a key where none belongs."""
        with pytest.raises(pk.InputError):
            build(**changes)

    def test_a_password_in_bytes(self, build):
        """What it is to be is said, and not what Python could not do with it."""
        with pytest.raises(TypeError, match="password: expected str, not bytes"):
            build(password=b"secret")

    def test_friendly_name_and_limits(self, build):
        """What the file cannot hold, and limits that are passed on."""
        with pytest.raises(pk.InputError, match="friendly name"):
            build(friendly_name="\N{GRINNING FACE}")
        with pytest.raises(pk.LimitExceededError, match=r"limits\.certificates"):
            build(limits=replace(pk.DEFAULT_LIMITS, certificates=3))


class TestWarnings:
    """What is written all the same, and said."""

    def test_cannot_judge(self, build, monkeypatch):
        """Neither yes nor no: the build goes on, with a warning."""
        unable = pk.Confirmation(opinion=pk.Opinion.CANNOT_JUDGE, detail="not implemented")
        monkeypatch.setattr(builder, "confirm", lambda *_: unable)
        report = build()
        assert report.confirmation is unable
        assert len(report.warnings) == 1
        assert "not implemented" in report.warnings[0]

    def test_not_asked(self, build, order):
        """Without a second opinion none is claimed."""
        report = build(second_opinion=False)
        assert report.confirmation.opinion is pk.Opinion.NOT_ASKED
        assert report.to_json()["second_opinion"]["opinion"] == "not-asked"
        assert "confirm" not in order

    def test_unknown_revocation_status(self, build):
        """With ``SOFT`` each certificate whose status is unknown is a warning."""
        revocation = pk.Revocation(mode=pk.RevocationMode.SOFT, crls=(), ocsp_responses=())
        report = build(revocation=revocation)
        assert len(report.warnings) == 5
        assert all("revocation status unknown" in warning for warning in report.warnings)


def test_certificates_only(build, files, replica, output):
    """From an issuing CA on, without a key; anchor and profile as asked."""
    report = build(
        key=None,
        certificate=files.issuing_ca,
        certs_only=True,
        include_anchor=False,
        profile=pk.profiles.LEGACY,
        friendly_name="the CA",
    )
    assert report.to_json()["private_key"] is False
    decoded = pk.decode_pfx(output.read_bytes(), password=PASSWORD)
    assert decoded.private_key is None
    assert decoded.certificates == replica.valid_paths[0].certificates[1:]


def test_from_pkcs12(build, replica):
    """Identity and candidates out of an older file, opened with its own password."""
    bundle = pk.Bundle.from_path(replica.server, replica.valid_paths[0])
    old = pk.encode_pfx(bundle, password="old password")
    report = build(key=None, certificate=None, pkcs12=old, pkcs12_password="old password", certificates=[])
    assert report.path.certificates == replica.valid_paths[0].certificates
    with pytest.raises(pk.PfxPasswordError):
        build(key=None, certificate=None, pkcs12=old, pkcs12_password="another")


def test_encrypted_key(build, replica):
    """Opened with ``key_password``; without one it is an error that names what is missing."""
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    encryption = BestAvailableEncryption(b"of the key")
    key = replica.server.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, encryption)
    assert build(key=key, key_password="of the key").path is not None
    with pytest.raises(pk.PasswordError, match="no password was given"):
        build(key=key)
