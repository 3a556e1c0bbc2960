"""The work on one bundle: built, left alone without a key derivation, or failed with a sentence."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509 import load_der_x509_certificate

import pkcs12kit as pk
from pkcs12kit.fleet import work as module
from pkcs12kit.fleet.bundles import Secret
from pkcs12kit.fleet.jobs import Task
from pkcs12kit.fleet.outcomes import Status
from pkcs12kit.fleet.records import record_from_json, record_to_json
from pkcs12kit.fleet.secrets import _Generations
from pkcs12kit.fleet.work import work
from pkcs12kit.pkcs12 import pending_keys

from .one_bundle import OPTIONS, PASSWORD, OneBundle


@pytest.fixture
def fleet(files, tmp_path, monkeypatch):
    """A folder with the inputs of one bundle, and the calls to work on it."""
    return OneBundle(files, tmp_path, monkeypatch)


def test_a_new_file_then_nothing(fleet):
    """Built once; then left alone, from the record as the state's file has it, without a derivation."""
    first = fleet.work()
    assert (first.status, first.why, first.error, first.expired_before) == (Status.CREATED, (), None, None)
    assert first.expires == first.first_to_expire.not_after
    assert len(first.certificates) == len(pk.decode_pfx(fleet.output.read_bytes(), password=PASSWORD).certificates)
    assert first.record.password
    record = record_from_json(record_to_json(first.record))
    before = fleet.output.stat()
    fleet.without_derivations()
    for task in (Task.PLAN, Task.BUILD):
        second = fleet.work(task, record)
        assert (second.status, second.error) == (Status.UNCHANGED, None)
        assert (second.expires, second.certificates) == (first.expires, first.certificates)
    assert fleet.output.stat() == before
    assert sorted(path.name for path in fleet.folder.iterdir() if path.name.startswith(".")) == []


def test_keys_of_one_bundle_are_derived_one_at_a_time(fleet, monkeypatch):
    """Each processor has a bundle of its own: a file written or opened takes no other."""
    started = []
    monkeypatch.setattr(pending_keys, "_processors", lambda: 4)
    monkeypatch.setattr(pending_keys, "Thread", lambda **_: started.append(True))
    options = {**OPTIONS, "profile": "modern-2023"}
    record = fleet.work(options=options).record
    assert fleet.work(record=replace(record, inputs={}), options=options).status is Status.UNCHANGED
    assert started == []


def test_a_plan_writes_nothing(fleet):
    """It says create, and then rewrite with each reason."""
    assert fleet.work(Task.PLAN).status is Status.CREATE
    assert not fleet.output.exists()
    record = fleet.work().record
    before = fleet.output.read_bytes()
    options = {**OPTIONS, "friendly_name": "new", "no_anchor": True, "profile": "legacy-3des"}
    planned = fleet.work(Task.PLAN, record, options=options)
    assert planned.status is Status.REWRITE
    assert [one.partition(":")[0] for one in planned.why] == ["protection", "certificates", "names"]
    assert planned.expired_before is not None
    assert fleet.output.read_bytes() == before
    done = fleet.work(Task.BUILD, record, options=options)
    assert (done.status, done.why) == (Status.REWRITTEN, planned.why)


def test_variables_cost_one_derivation_a_process(fleet, monkeypatch):
    """Bundles with one variable: after the first is opened in another process, the others are known."""
    monkeypatch.setenv("FLEET_W", PASSWORD)
    variable = Secret(kind="env", value="FLEET_W")
    names = [str(fleet.folder / f"{number}.p12") for number in range(3)]
    records = [fleet.work(output=name, password=variable).record for name in names]
    assert len({record.password for record in records}) == 1
    fresh = _Generations()
    monkeypatch.setattr("pkcs12kit.fleet.secrets._GENERATIONS", fresh)  # another process
    calls, real = [], module.build
    monkeypatch.setattr(module, "build", lambda **given: calls.append(1) or real(**given))
    outcomes = [
        fleet.work(Task.BUILD, record, output=name, password=variable)
        for name, record in zip(names, records, strict=True)
    ]
    assert [one.status for one in outcomes] == [Status.UNCHANGED] * 3
    assert len(calls) == 1
    monkeypatch.setenv("FLEET_W", "another one")
    changed = fleet.work(Task.BUILD, records[2], output=names[2], password=variable)
    assert (changed.status, changed.why) == (
        Status.REWRITTEN,
        ("password: the existing file does not open with this password",),
    )


def test_a_check_reads_no_password(fleet, monkeypatch):
    """The path is judged with the certificate only: the key and the password may be out of reach."""
    fleet.work()
    fleet.password.unlink()
    fleet.key.write_text("not a key")
    monkeypatch.setattr("pkcs12kit.fleet.work.read_secret", None)
    checked = work(fleet.job(Task.CHECK))
    assert (checked.status, checked.error, checked.record) == (Status.VALID, None, None)
    soon = work(fleet.job(Task.CHECK, expires_within=timedelta(days=100_000)))
    assert (soon.status, soon.ends_too_soon, soon.ok) == (Status.VALID, True, False)


def test_a_check_of_a_closed_file_needs_a_record(fleet):
    """A PKCS#12 file with a password: its certificate comes from the state while the file is the same."""
    fleet.work()
    old = fleet.folder / "old.p12"
    old.write_bytes(fleet.output.read_bytes())
    inputs = {"key": None, "certificate": None, "pkcs12": str(old), "output": str(fleet.folder / "new.p12")}
    inputs["pkcs12_password"] = Secret(kind="file", value=str(fleet.password))
    unknown = fleet.work(Task.CHECK, **inputs)
    assert (unknown.status, "without a password" in unknown.error) == (Status.FAILED, True)
    assert unknown.hints
    record = fleet.work(**inputs).record
    assert record.others
    assert fleet.work(Task.CHECK, record, **inputs).status is Status.VALID
    fleet.without_derivations()
    assert fleet.work(Task.BUILD, record, **inputs).status is Status.UNCHANGED
    old.write_bytes(old.read_bytes() + b"\0")
    assert fleet.work(Task.CHECK, record, **inputs).status is Status.FAILED


def test_a_file_that_is_rewritten_in_place(fleet):
    """The PKCS#12 file is input and output: after it is rewritten it is recorded as it is then."""
    pfx = pk.build(
        key=fleet.key,
        certificate=fleet.certificate,
        certificates=[fleet.cas],
        trust_anchors=[fleet.anchor],
        output=fleet.output,
        password=PASSWORD,
        include_anchor=False,
        profile="legacy-3des",
    )
    assert pfx.changed
    own = Secret(kind="file", value=str(fleet.password))
    inputs = {"key": None, "certificate": None, "pkcs12": str(fleet.output), "pkcs12_password": own}
    first = fleet.work(**inputs)
    assert (first.status, first.error) == (Status.REWRITTEN, None)
    fleet.without_derivations()
    assert fleet.work(Task.BUILD, first.record, **inputs).status is Status.UNCHANGED


def test_a_file_that_is_rewritten_in_place_has_its_own_path(fleet):
    """The delivered file has no CA certificate and the new one has all: then they may leave the pool."""
    key = serialization.load_pem_private_key(fleet.key.read_bytes(), None)
    certificate = load_der_x509_certificate(pk.load_certificate(fleet.certificate).der)
    closed = serialization.BestAvailableEncryption(PASSWORD.encode())
    fleet.output.write_bytes(serialize_key_and_certificates(None, key, certificate, None, closed))
    own = Secret(kind="file", value=str(fleet.password))
    inputs = {"key": None, "certificate": None, "pkcs12": str(fleet.output), "pkcs12_password": own}
    first = fleet.work(**inputs)
    assert (first.status, first.error) == (Status.REWRITTEN, None)
    fleet.cas.write_bytes(fleet.anchor.read_bytes())
    for record in (first.record, None):
        outcome = fleet.work(Task.PLAN, record, **inputs)
        assert (outcome.status, outcome.error) == (Status.UNCHANGED, None)


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda fleet: fleet.key.write_text("no key"), "server.key"),
        (lambda fleet: fleet.password.write_text("\n"), "is empty"),
        (lambda fleet: fleet.password.unlink(), "password"),
        (lambda fleet: fleet.output.mkdir(), "server.p12"),
        (lambda fleet: fleet.cas.write_bytes(fleet.anchor.read_bytes()), "no valid path from"),
        (lambda fleet: fleet.output.symlink_to(fleet.key), "is also the file of key"),
    ],
)
def test_a_failure_is_a_sentence(fleet, break_it, said):
    """One bad bundle is an outcome, with the file or the certificate in its sentence; nothing is written."""
    break_it(fleet)
    job = fleet.job()
    outcome = work(job)
    assert (outcome.status, said in outcome.error, outcome.record) == (Status.FAILED, True, None)
    assert "\n" not in outcome.error
    assert fleet.output.is_symlink() or not fleet.output.is_file()


def test_an_error_of_ours_names_no_secret(fleet, monkeypatch):
    """An unexpected exception fails the bundle by its type; an interruption is passed on."""

    def fail(**given):
        raise ZeroDivisionError(given["password"]())

    monkeypatch.setattr(module, "build", fail)
    outcome = work(fleet.job())
    assert outcome.error.startswith("an error in pkcs12kit itself: ZeroDivisionError at test_fleet_work.py:")
    assert PASSWORD not in repr(outcome)

    def interrupt(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "build", interrupt)
    with pytest.raises(KeyboardInterrupt):
        work(fleet.job())


@pytest.mark.parametrize("which", ["key", "certificate", "cas", "anchor", "password"])
def test_an_output_never_replaces_an_input(fleet, which):
    """Not one of the files that the worker has loaded already, either: through a link or by its name."""
    path = getattr(fleet, which)
    before = path.read_bytes()
    os.link(path, fleet.folder / "link.p12")
    for output in (path, fleet.folder / "link.p12"):
        outcome = work(fleet.job(output=str(output), options={**OPTIONS, "force": True}))
        assert (outcome.status, "is also the file of" in outcome.error) == (Status.FAILED, True)
    assert path.read_bytes() == before


def test_other_certificates_than_those_of_the_run(fleet):
    """A worker that sees other CA certificates fails the bundle."""
    outcome = work(replace(fleet.job(), pool="0" * 64))
    assert "not those with which the run began" in outcome.error


@pytest.mark.parametrize("numbered", [{}, {"iterations": 2_000}])
def test_a_password_that_a_reader_does_not_open_is_refused(fleet, numbered):
    """``for`` judges the password as well, also where the manifest numbers the iterations."""
    fleet.password.write_text("pässwörd", encoding="utf-8")
    outcome = fleet.work(options={"for": ["java-17"], **numbered})
    assert outcome.status is Status.FAILED
    assert "cannot be used for java-17" in outcome.error
    assert not fleet.output.exists()


@pytest.mark.parametrize("form", ["pkcs12", "pem"])
def test_a_rehearsal_that_says_no(fleet, monkeypatch, form):
    """The file stays, the bundle fails with the client's reason, and without a record it is rehearsed again."""
    asked = []

    class Answer:
        ok = False
        problems = ("java: it refused",)

    def rehearse(data, *, password, **_):
        asked.append(pk.decode_pfx(data, password=password).private_key)
        return Answer

    monkeypatch.setattr("pkcs12kit.verifier.rehearse.rehearse", rehearse)
    given = {"options": {**OPTIONS, "rehearse": True}}
    if form == "pem":
        given = {"options": {"to": "pem", "no_second_opinion": True, "rehearse": True}, "password": None}
    assert work(fleet.job(Task.PLAN, **given)).status is Status.CREATE
    assert asked == []
    for _ in range(2):
        outcome = work(fleet.job(**given))
        assert (outcome.status, outcome.record, "java: it refused" in outcome.error) == (Status.FAILED, None, True)
    assert fleet.output.exists()
    Answer.ok = True
    passed = work(fleet.job(**given))
    assert (passed.status, passed.record is not None, len(asked)) == (Status.UNCHANGED, True, 3)
