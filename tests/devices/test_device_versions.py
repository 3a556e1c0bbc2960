"""Devices with versions: what each name stands for, and that all versions have to accept a chain."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

import pkcs12kit as pk
from pkcs12kit.devices.judge import judge_by_rules
from pkcs12kit.devices.model import ChainProperty, Effect, Quantity
from pkcs12kit.devices.properties import _key_property
from pkcs12kit.devices.table import DEVICES
from pkcs12kit.devices.versions import DEVICE_NAMES, VERSIONS, find_devices, require_devices
from pkcs12kit.findings import Answer, Evidence
from pkcs12kit.tls.certificate_message import TLS_1_2, CertificateMessage

from ..calling import UNUSABLE, call
from ..certificates.test_key_kinds import for_pss, rsa_key, spki

MEANINGS = {
    "go": "go",  # every version of its title
    "go-1.19": "go-1.19",
    "go-1.24": "go-1.24",
    "go-1.24.4": "go-1.24",
    "go-1.30": "go-1.24",
    "go-1.22": "go-1.19 go-1.24",
    "go>=1.18": "go-1.19 go-1.24",
    "go>=1.24": "go-1.24",
    "go>=1.30": "go-1.24",
    "java-17": "java",
    "java>=21": "java",
    "ios-17": "ios",
    "windows-11": "windows",
    "macos-10.15": "macos",
}


@pytest.mark.parametrize("name", MEANINGS)
def test_what_a_name_stands_for(name):
    """The entries, and a sentence that says so for other names."""
    devices, meaning = find_devices(name)
    assert [device.name for device in devices] == MEANINGS[name].split()
    assert bool(meaning) == (name not in DEVICE_NAMES)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ios-12", "the oldest version in the table is ios-13"),
        ("macos-10.14", "the oldest version in the table is macos-10.15"),
        ("java>=7", "the oldest version in the table is java-8"),
        ("go-1.17", "the oldest version in the table is go-1.19"),
        ("go>1.19", "only conditions such as 'go>=1.24'"),
        ("goo", "'go'"),
        ("abacus", "unknown device 'abacus'"),
    ],
)
def test_names_that_are_none(name, said):
    """A version before the table, another operator, another name: refused by the library and by the command."""
    with pytest.raises(pk.UnknownNameError, match=re.escape(said)):
        require_devices([name])
    done = call("probe", "a.example", "--device", name)
    assert done.status == UNUSABLE
    assert said.removeprefix("unknown device ") in done.errors


def test_the_versions_of_go():
    """From 1.24 on, critical policy extensions are accepted, and short RSA keys are not; no rule claims to be tried."""
    old, new = VERSIONS.values()
    changed = {rule.property for rule in new.rules if old.rule_for(rule.property).effect is not rule.effect}
    assert changed == {
        ChainProperty.POLICY_MAPPINGS_CRITICAL,
        ChainProperty.POLICY_CONSTRAINTS_CRITICAL,
        ChainProperty.INHIBIT_ANY_POLICY_CRITICAL,
    }
    assert all(new.rule_for(one).effect is Effect.ACCEPTED for one in changed)
    assert not [it for it in (*new.rules, *new.limits) if it.evidence is Evidence.TRIED]
    (bits,) = [limit for limit in new.limits if limit.quantity is Quantity.RSA_BITS]
    assert (bits.least, bits.most) == (1_024, 8_192)
    assert (old.rules, old.limits) == (DEVICES["go"].rules, DEVICES["go"].limits)


@pytest.fixture(scope="module")
def replica_case():
    """The certificates that the replica's MDM server sends: CA certificates with critical policy extensions."""
    replica = pk.lab.make_replica()
    anchor = pk.TrustAnchor.from_certificate(replica.trust_anchor)
    certificates = replica.valid_paths[0].certificates
    parameters = pk.ValidationParameters(time=replica.at, server_name=replica.server_name)
    report = pk.find_paths(
        certificates[0],
        pool=pk.CertificatePool(certificates[1:]),
        trust_anchors=[anchor],
        parameters=parameters,
    )
    message = CertificateMessage(certificates=certificates, protocol=TLS_1_2)
    return {"message": message, "path": report.valid[0], "trust_anchors": [anchor], "parameters": parameters}


@pytest.mark.parametrize("name", MEANINGS)
def test_all_versions_have_to_accept_a_chain(replica_case, name):
    """A no if an entry says no, a yes only if each says yes; each refusal of an entry is there, once."""
    verdict = judge_by_rules(name, **replica_case)
    devices, meaning = find_devices(name)
    each = [judge_by_rules(device.name, **replica_case) for device in devices]
    answers = {one.answer for one in each}
    assert verdict.answer is (
        Answer.NO if Answer.NO in answers else Answer.UNKNOWN if len(answers) > 1 else answers.pop()
    )
    assert verdict.device == name
    assert {remark.why for remark in verdict.refusals} == {remark.why for one in each for remark in one.refusals}
    assert len({remark.why for remark in verdict.remarks}) == len(verdict.remarks)
    assert not meaning or meaning in {remark.why for remark in verdict.remarks}


def test_the_policies_of_the_federal_pki(replica_case):
    """Go before 1.24 refuses the critical policy extensions, and every version the constrained directory names."""
    refused = {
        name: {one.why for one in judge_by_rules(name, **replica_case).refusals} for name in ("go-1.19", "go-1.24")
    }
    more = refused["go-1.19"] - refused["go-1.24"]
    assert more
    assert all("olicy" in why or "olicies" in why for why in more)
    assert refused["go-1.24"] < refused["go-1.19"]


@pytest.mark.parametrize("bits", [2_048, 1_024])
def test_a_key_for_pss_is_no_usual_key(bits):
    """RFC 4055: of a key for RSASSA-PSS alone nothing is known, whatever is known of RSA; so no device says yes."""
    anchor = pk.lab.Authority.create("Root", key_type=pk.lab.KeyType.EC_P256)
    usual = anchor.issue_server("a.example", key_type=pk.lab.KeyType.RSA_2048).certificate
    assert _key_property(usual) is ChainProperty.RSA_KEY
    info = for_pss(spki(rsa_key(bits)))
    assert _key_property(SimpleNamespace(public_key=usual.public_key, subject_public_key_info=info)) is (
        ChainProperty.RSA_PSS_KEY
    )
    assert not any(device.rule_for(ChainProperty.RSA_PSS_KEY) for device in (*DEVICES.values(), *VERSIONS.values()))


def test_keys_that_browsers_refuse():
    """Chrome and Firefox have a list of keys: all that is beyond it is a no; ML-DSA is not known to any device."""
    root = pk.lab.Authority.create("Root", key_type=pk.lab.KeyType.EC_P256)
    server = root.issue_server("a.example", key_type=pk.lab.KeyType.ML_DSA_44).certificate
    assert _key_property(server) is ChainProperty.ML_DSA_KEY
    for name, device in DEVICES.items():
        assert device.rule_for(ChainProperty.ML_DSA_KEY) is None
        rule = device.rule_for(ChainProperty.OTHER_KEY)
        assert (rule is not None and rule.effect is Effect.REFUSED) == (name in {"chrome", "firefox"})
