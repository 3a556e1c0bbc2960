"""We read what the two libraries for Node write that make PKCS#12 files: node-forge and PKI.js.

The libraries are those of ``node/package-lock.json``; the variable names the folder where ``npm ci`` put them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pkcs12kit.errors import UnsupportedPfxError
from pkcs12kit.lab import KeyType
from pkcs12kit.pkcs12.decoder import decode_pfx

from .matrix import Contents, make_material

HERE = Path(__file__).parent / "node"
VARIABLE = "PKCS12KIT_NODE_MODULES"
FORGE = {"count": 2048, "saltSize": 8, "friendlyName": "server"}
PKIJS = {"cipher": "AES-CBC", "length": 256, "prf": "SHA-256", "digest": "SHA-256"}
JOBS = {
    **{f"node-forge {name}": ("node-forge", FORGE | {"algorithm": name}) for name in ("3des", "aes128", "aes256")},
    "node-forge without MAC": ("node-forge", FORGE | {"useMac": False}),
    "node-forge without localKeyID": ("node-forge", FORGE | {"generateLocalKeyId": False}),
    "PKI.js": ("pkijs", PKIJS),
    "PKI.js AES-128, SHA-1": ("pkijs", PKIJS | {"length": 128, "prf": "SHA-1", "digest": "SHA-1"}),
    "PKI.js SHA-512": ("pkijs", PKIJS | {"prf": "SHA-512", "digest": "SHA-512"}),
    "PKI.js AES-GCM": ("pkijs", PKIJS | {"cipher": "AES-GCM"}),
}
KEYS_OF = {"node-forge": ("rsa-2048",), "pkijs": ("rsa-2048", "ec-p256")}  # node-forge knows only RSA keys
# node-forge mixes the octets of characters beyond Latin-1 into their neighbours: no other program opens such a file.
PASSWORDS = {"ASCII": "correct horse 42", "Latin-1": "Grüße, ñandú", "Unicode": "Ελλάδα, 日本 🔑"}
CELLS = [
    (name, key, password)
    for name, (library, _) in JOBS.items()
    for key in KEYS_OF[library]
    for password in PASSWORDS
    if library == "pkijs" or password != "Unicode"
]


@pytest.fixture(scope="session")
def rsa_material(tmp_path_factory):
    """Keys and chains with RSA keys for the CAs: node-forge reads no other certificates."""
    return make_material(tmp_path_factory.mktemp("rsa"), ca_key=KeyType.RSA_2048)


@pytest.fixture(scope="session")
def node_files(rsa_material, tmp_path_factory, cannot_run):
    """The file for each cell, or the reason why there is none."""
    node, modules = shutil.which("node"), os.environ.get(VARIABLE)
    if node is None:
        pytest.skip("needs Node, which .ci/run does not install")  # also in CI
    if not modules:
        cannot_run(f"needs node-forge and PKI.js (npm ci in tests/interoperability/node) in {VARIABLE}")
    folder = tmp_path_factory.mktemp("node")
    (folder / "node_modules").symlink_to(modules)
    script = shutil.copy(HERE / "keystores.mjs", folder)
    for name, password in PASSWORDS.items():
        (folder / f"{name}.password").write_text(password, "utf-8")
    files = {cell: folder / f"{number}.p12" for number, cell in enumerate(CELLS)}
    jobs = [
        {
            "library": JOBS[name][0],
            "options": JOBS[name][1],
            "key": str(rsa_material.pem(key, "key")),
            "chain": str(rsa_material.pem(key, "chain")),
            "password": str(folder / f"{password}.password"),
            "file": str(files[name, key, password]),
        }
        for name, key, password in CELLS
    ]
    done = subprocess.run(
        [node, script], input=json.dumps(jobs), capture_output=True, encoding="utf-8", check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    refusals = json.loads(done.stdout)
    return {cell: refusal or files[cell] for cell, refusal in zip(CELLS, refusals, strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize("password", PASSWORDS)
def test_gcm_of_pkijs_is_named(node_files, password):
    """PKI.js writes only the nonce as parameters of AES-GCM (RFC 5084 section 3.2): it is refused by its name."""
    file = node_files["PKI.js AES-GCM", "ec-p256", password]
    assert isinstance(file, Path), file
    with pytest.raises(UnsupportedPfxError, match="AES-256-GCM"):
        decode_pfx(file.read_bytes(), password=PASSWORDS[password])


@pytest.mark.slow
@pytest.mark.parametrize("cell", [cell for cell in CELLS if "GCM" not in cell[0]], ids="-".join)
def test_we_read_what_node_writes(node_files, rsa_material, cell):
    """The key and every certificate that the library was given, in the order of the file."""
    _, key, password = cell
    file = node_files[cell]
    assert isinstance(file, Path), file
    decoded = decode_pfx(file.read_bytes(), password=PASSWORDS[password])
    assert Contents.of(decoded.identity.private_key, decoded.certificates) == rsa_material.contents(key)
