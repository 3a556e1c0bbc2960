"""``build --from``: the one identity of a folder or zip, found in any of its files, and never guessed between two."""

from __future__ import annotations

import itertools
import random
import shutil
import zipfile

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

import pkcs12kit as pk
from pkcs12kit.sources.delivery import load_delivery
from pkcs12kit.sources.key_sources import Opening
from pkcs12kit.times import time_or_now

from ..thoroughness import examples

PASSWORD = "delivered 42"
QUICK = pk.profiles.MODERN.with_iterations(encryption=3, mac=3)


def key_pem(identity, password=None):
    """The key of an identity in PEM."""
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password.encode())
    return identity.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


@pytest.fixture(scope="module")
def authority():
    """A root."""
    return pk.lab.Authority.create("Delivery Root")


@pytest.fixture(scope="module")
def identities(authority):
    """Two servers."""
    return {name: authority.issue_server(f"{name}.example.mil") for name in "ab"}


@pytest.fixture(scope="module")
def pieces(authority, identities):
    """The files of which deliveries are made, with what each has: keys, encrypted keys and certificates."""
    made = {
        "chain.p7b.pem": (authority.certificate.to_pem().encode(), set(), set(), set()),
        "password.txt": (PASSWORD.encode(), set(), set(), set()),
        "readme.doc": (bytes(range(256)), set(), set(), set()),
        "empty": (b"", set(), set(), set()),
    }
    for name, server in identities.items():
        bundle = pk.Bundle(private_key=server.private_key, certificates=(server.certificate,))
        cert = server.certificate.to_pem().encode()
        made |= {
            f"{name}.key": (key_pem(server), {name}, set(), set()),
            f"sub/{name}.enc": (key_pem(server, PASSWORD), set(), {name}, set()),
            f"{name}.cer": (server.certificate.der, set(), set(), {name}),
            f"both-{name}.pem": (cert + key_pem(server), {name}, set(), {name}),
            f"sub/{name}.p12": (pk.encode_pfx(bundle, password=PASSWORD, profile=QUICK), set(), {name}, "hidden"),
        }
    return made


def opening(**given):
    """How a delivery is opened."""
    return Opening(time=time_or_now(None), limits=pk.DEFAULT_LIMITS, **given)


def load(source, *, key=None, certificate=None, left_out=(), **given):
    """The certificate of the identity of a delivery, whose key is compared with it."""
    loaded, _ = load_delivery(source, opening(**given), key=key, certificate=certificate, left_out=left_out)
    return loaded.identity.certificate


def write(folder, chosen, pieces):
    """Write these pieces."""
    for name in chosen:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(pieces[name][0])


def expected(chosen, pieces, *, has_password):
    """The oracle: the name of the one identity, or the kind of error."""
    clear = set().union(*(pieces[name][1] for name in chosen))
    closed = [name for name in chosen if pieces[name][2]]
    seen = {who for name in chosen if pieces[name][3] != "hidden" for who in pieces[name][3]}
    hidden = {who for name in closed if pieces[name][3] == "hidden" for who in pieces[name][2]}
    if has_password:
        clear |= {who for name in closed for who in pieces[name][2]}
        seen |= hidden
        closed = []
    found = clear & seen
    if closed and (not found or not seen <= clear):
        return pk.PasswordError
    if len(found) > 1:
        return pk.KeyChoiceError
    return found.pop() if found else pk.InputError


def test_every_kind_of_delivery(tmp_path, pieces, identities):
    """Random subsets of pieces, as a folder and as a zip, with the password and without: as the oracle says."""
    chance = random.Random(17)  # noqa: S311  # no secret
    names = sorted(pieces)
    for number in range(examples(80)):
        chosen = chance.sample(names, chance.randint(1, 7))
        folder = tmp_path / str(number)
        write(folder, chosen, pieces)
        archive = tmp_path / f"{number}.zip"
        with zipfile.ZipFile(archive, "w") as zipped:
            for name in chosen:
                zipped.writestr(name, pieces[name][0])
        for source, password in itertools.product((folder, archive), (None, PASSWORD)):
            outcome = expected(chosen, pieces, has_password=password is not None)
            if isinstance(outcome, str):
                assert load(source, key_password=password) == identities[outcome].certificate, chosen
                continue
            with pytest.raises(pk.InputError) as error:
                load(source, key_password=password)
            assert type(error.value) is outcome, (chosen, str(error.value))
            assert PASSWORD not in str(error.value)
        shutil.rmtree(folder)


def test_each_listed_choice_chooses(tmp_path, pieces, identities):
    """The error lists options that, given as they are, choose that key; the certificate chooses too."""
    write(tmp_path, ["a.key", "a.cer", "b.key", "b.cer"], pieces)
    with pytest.raises(pk.KeyChoiceError) as error:
        load(tmp_path)
    assert "--key a.key " in str(error.value)
    assert "--key b.key " in str(error.value)
    for name, server in identities.items():
        assert load(tmp_path, key=f"{name}.key") == server.certificate
        assert load(tmp_path, key=str(tmp_path / f"{name}.key")) == server.certificate
        assert load(tmp_path, certificate=tmp_path / f"{name}.cer") == server.certificate
    with pytest.raises(pk.InputError, match="no private key is the one that was chosen"):
        load(tmp_path, key="c.key")


def test_the_password_is_asked_for_only_if_it_is_needed(tmp_path, pieces, identities):
    """A prompt is a function: called for a key that is found only so, and not for one beside a clear copy."""
    asked = []

    def ask():
        asked.append(1)
        return PASSWORD

    write(tmp_path, ["a.key", "a.cer", "sub/a.enc", "sub/a.p12"], pieces)
    warnings = []
    assert load(tmp_path, key_password=ask, on_warning=warnings.append) == identities["a"].certificate
    assert not asked
    assert "not opened" in warnings[0]
    (tmp_path / "a.key").unlink()
    assert load(tmp_path, key_password=ask) == identities["a"].certificate
    assert asked == [1]
    with pytest.raises(pk.PasswordError, match=r"sub/a\.enc .*--key-password-file"):
        load(tmp_path)


def test_junk_of_other_systems(tmp_path, pieces, identities):
    """Hidden files, ``__MACOSX``, links in a circle and nested zips do no harm; a link to a key is that key."""
    write(tmp_path, ["a.key", "a.cer"], pieces)
    (tmp_path / ".b.key").write_bytes(pieces["b.key"][0])
    (tmp_path / "circle").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "link.key").symlink_to("a.key")
    (tmp_path / "dead").symlink_to("nowhere")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as zipped:
        zipped.writestr("__MACOSX/._b.cer", pieces["b.cer"][0])
        zipped.writestr("again/a.key", pieces["a.key"][0])
    assert load(tmp_path) == identities["a"].certificate


def test_more_keys_than_the_limit(tmp_path, pieces):
    """A folder of very many encrypted keys is refused before a password is tried on them."""
    for number in range(pk.DEFAULT_LIMITS.delivered_keys + 1):
        (tmp_path / f"{number}.key").write_bytes(pieces["sub/a.enc"][0])
    with pytest.raises(pk.LimitExceededError, match="delivered_keys"):
        load(tmp_path, key_password=PASSWORD)


@pytest.mark.parametrize("to", ["pkcs12", "pem"])
def test_the_output_may_be_in_the_folder(tmp_path, authority, pieces, to):
    """The second build finds the same, and leaves its file alone; a part of the delivery is never replaced."""
    folder = tmp_path / "folder"
    write(folder, ["a.key", "a.cer", "chain.p7b.pem"], pieces)
    anchor = tmp_path / "anchor.pem"
    anchor.write_text(authority.certificate.to_pem())
    given = {"source": folder, "trust_anchors": [anchor], "to": to, "second_opinion": False, "if_changed": True}
    given |= {"password": "x", "profile": QUICK} if to == "pkcs12" else {"key_output": folder / "out.key"}
    assert pk.build(**given, output=folder / "out").changed
    assert not pk.build(**given, output=folder / "out").changed
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for name in ("a.key", "a.cer", "chain.p7b.pem"):
        with pytest.raises((pk.OutputError, pk.InputError)):
            pk.build(**given, output=folder / name, overwrite=True)
        assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_what_cannot_be_combined(tmp_path, pieces):
    """A delivery has the identity: others beside it are refused."""
    write(tmp_path, ["a.key", "a.cer"], pieces)
    for other in ({"pkcs12": b"x"}, {"identity": b"x"}, {"certs_only": True}, {"key": b"x"}):
        with pytest.raises(pk.ArgumentError):
            pk.build(source=tmp_path, trust_anchors=[tmp_path / "a.cer"], password="x", **other)
