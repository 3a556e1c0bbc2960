"""Plans of files that do not exist yet: they derive next to no keys, and say what the run says that follows."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkcs12kit.errors import InputError
from pkcs12kit.fleet.arguments import with_fewest_iterations
from pkcs12kit.fleet.bundles import Secret
from pkcs12kit.fleet.contradictions import chosen_profile
from pkcs12kit.fleet.jobs import Task
from pkcs12kit.fleet.outcomes import Status
from pkcs12kit.fleet.work import work
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.budget import WorkBudget

from ..thoroughness import examples, mostly_slow
from .one_bundle import PASSWORD, OneBundle

PROTECTED = [profile.name for profile in profiles.PROFILES if profile.takes_password]
PLANNED = {Status.CREATED: Status.CREATE}
CHOICES = (
    *({"profile": name} for name in PROTECTED),
    *({"for": list(readers)} for readers in (["java-17"], ["fips-140-3"], ["macos", "openssl-3"], ["dotnet"])),
    {"for": ["java-8", "fips-140-3"]},  # no profile is for both
    {"for": ["java-17"], "iterations": 4096},
    {"profile": "modern-2023", "iterations": 1},
    {"profile": "legacy-3des", "mac_iterations": 1},
    {"profile": "modern-2023", "iterations": 3_000_000},
    {"profile": "modern-2023", "mac_iterations": 2**40},
    {"profile": "no-password"},
    {"to": "pem"},
    {},
)
PASSWORDS = (PASSWORD, "", "\n", "pässwörd", "\ufeff", "x" * 5_000, "a\0b", "\U0001f511", b"\xff", None)
FURTHER = (
    {},
    {"friendly_name": "a" * 40_000},
    {"friendly_name": "name", "ca_name": ["one", "two", "three", "four", "five", "six", "seven"]},
    {"server_name": "other.example"},
    {"owner": "nobody-here"},
    {"group": 2**32},
    {"mode": 0o666},
    {"no_anchor": True},
    {"truststore": True},
    {"max_iterations": 1},
)
PLACES = ("server.p12", "server.p12", "missing/server.p12", "folder", "folder/", "dangling", "a" * 300, "password/x")


FLAWS = ("none", "none", "none", "another key", "no such key", "no CA certificates", "no key", "output is input")


def flawed(flaw, fleet, folder):
    """The fields of a bundle with a flaw."""
    other = folder / "other.key"
    if flaw == "another key":
        key = ec.generate_private_key(ec.SECP256R1())
        other.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return {
        "another key": {"key": str(other)},
        "no such key": {"key": str(other)},
        "no CA certificates": {"certificates": ()},
        "no key": {"key": str(fleet.certificate)},
        "output is input": {"output": str(fleet.key)},
    }.get(flaw, {})


@pytest.fixture
def fleet(files, tmp_path, monkeypatch):
    """A folder with the inputs of one bundle, and the calls to work on it."""
    return OneBundle(files, tmp_path, monkeypatch)


@pytest.fixture
def iterations(monkeypatch):
    """The iterations of all key derivations, as they come."""
    counted, real = [], WorkBudget.derive

    def derive(self, iterations, **given):
        counted.append(iterations)
        real(self, iterations, **given)

    monkeypatch.setattr(WorkBudget, "derive", derive)
    return counted


@pytest.mark.released_iterations
def test_a_plan_of_a_new_file_derives_no_keys(fleet, iterations):
    """Each derivation has the fewest iterations that its profile accepts; the file has the released number."""
    for protection in (*({"profile": name} for name in PROTECTED), {"for": ["java-17"]}):
        wanted = chosen_profile(protection)
        assert fleet.work(Task.PLAN, options={"no_second_opinion": True, **protection}).status is Status.CREATE
        assert set(iterations) == {wanted.minimum_iterations}
        iterations.clear()
    assert fleet.work(options=protection).status is Status.CREATED
    assert set(iterations) == {wanted.encryption_iterations, wanted.mac_iterations}
    again = fleet.work(Task.PLAN, options={"profile": "modern-2023", "iterations": 1})
    assert (again.status, again.why[0].partition(":")[0]) == (Status.REWRITE, "protection")


@pytest.mark.parametrize("counts", [(1, 1), (800_000, 800_000), (833_333, 1), (833_334, 1), (1, 833_334), (10**9, 1)])
@pytest.mark.parametrize("name", mostly_slow(PROTECTED, every=5))
def test_only_a_file_within_the_limits_is_quick(name, counts):
    """No plan says yes to more iterations than the encoder writes: those are left to the encoder."""
    given = profiles.find(name)
    profile = given.with_iterations(
        **dict(zip(("encryption", "mac"), (max(1_000, one) for one in counts), strict=True))
    )
    arguments = {"to": "pkcs12", "for_readers": (), "profile": profile, "key_name": "kept"}
    quick = with_fewest_iterations(arguments)
    if max(counts) > 833_333:
        assert quick == arguments
        return
    assert quick["key_name"] == "kept"
    assert quick["profile"].encryption_iterations == given.minimum_iterations
    budget = WorkBudget(DEFAULT_LIMITS)
    for _ in range(2):  # certificates and key: three derivations at most, of key and IV, with the longest password
        for _ in range(3):
            budget.derive(profile.encryption_iterations, digest="SHA-1", octets=2**18)
    budget.derive(profile.mac_iterations, digest="SHA-256", octets=2**18)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    choice=st.sampled_from(CHOICES),
    password=st.sampled_from(PASSWORDS),
    further=st.sampled_from(FURTHER),
    place=st.sampled_from(PLACES),
    flaw=st.sampled_from(FLAWS),
)
def test_a_plan_says_what_the_run_says(fleet, tmp_path_factory, choice, password, further, place, flaw):
    """The same status, error, hints, ends, certificates and warnings, whatever is asked for or wrong."""
    folder = tmp_path_factory.mktemp("case")
    (folder / "folder").mkdir()
    (folder / "dangling").symlink_to(folder / "nowhere")
    secret = folder / "password"
    if password is not None:
        secret.write_bytes(password if isinstance(password, bytes) else password.encode())
    given = {"options": {"no_second_opinion": True, **choice, **further}, "output": f"{folder}/{place}"}
    if "truststore" in further:
        given |= {"key": None, "options": {**given["options"], "certs_only": True}}
    is_pem = choice.get("to") == "pem"
    given["password"] = None if is_pem or "no-password" in choice.values() else Secret(kind="file", value=str(secret))
    given |= flawed(flaw, fleet, folder)
    try:
        planned, done = work(fleet.job(Task.PLAN, **given)), work(fleet.job(**given))
    except InputError:  # the files of all bundles, before any job
        return
    assert done.status in {Status.CREATED, Status.FAILED}
    assert planned.status is PLANNED.get(done.status, done.status)
    for name in ("error", "hints", "expires", "first_to_expire", "certificates", "ends_too_soon"):
        assert getattr(planned, name) == getattr(done, name), name
    assert set(planned.warnings) <= set(done.warnings)
