"""The manifests of the guide to cert-manager are what they say, as far as that shows without a cluster."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pkcs12kit import Bundle, decode_pfx

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "cert-manager.md"
PASSWORD = "correct horse 42 battery"


@pytest.fixture(scope="module")
def manifests(require_tool):
    """The YAML blocks of the page, by kind, as PyYAML reads them: Ansible's Python has it."""
    interpreter = Path(require_tool("ansible-playbook")).read_text("utf-8").splitlines()[0].removeprefix("#!")
    blocks = re.findall(r"^```yaml\n(.*?)^```$", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    program = "import json, sys, yaml; print(json.dumps([yaml.safe_load(text) for text in json.load(sys.stdin)]))"
    done = subprocess.run(
        [*interpreter.split(), "-c", program], input=json.dumps(blocks), capture_output=True, text=True, check=True
    )
    return {manifest["kind"]: manifest for manifest in json.loads(done.stdout)}


def mounted(folder, contents):
    """Lay files out as Kubernetes mounts a Secret or a ConfigMap: links to a folder that is changed as a whole."""
    (folder / "..2026").mkdir(parents=True)
    (folder / "..data").symlink_to("..2026")
    for name, data in contents.items():
        (folder / "..2026" / name).write_bytes(data)
        (folder / name).symlink_to(Path("..data") / name)


def test_the_names_of_volumes_and_secrets_meet(manifests):
    """Each mount has its volume, each volume its source, and the password is the one that cert-manager uses."""
    certificate, pod = manifests["Certificate"]["spec"], manifests["Deployment"]["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = [mount for one in (*pod["initContainers"], *pod["containers"]) for mount in one["volumeMounts"]]
    assert {mount["name"] for mount in mounts} == volumes.keys()
    assert volumes["tls"]["secret"]["secretName"] == certificate["secretName"]
    keystore = certificate["keystores"]["pkcs12"]
    assert volumes["password"]["secret"]["secretName"] == keystore["passwordSecretRef"]["name"]
    assert keystore["profile"] in {"LegacyRC2", "LegacyDES", "Modern2023"}


@pytest.mark.slow
def test_the_init_container_builds_the_whole_file(manifests, files, replica, tmp_path):
    """Its own arguments, on files as they are mounted, with a chain as short as issuers give it."""
    mounted(
        tmp_path / "tls",
        {
            "tls.key": files.key.read_bytes(),
            "tls.crt": files.certificate.read_bytes() + files.issuing_ca.read_bytes(),
        },
    )
    sources = (*files.certificates.iterdir(), files.trust_anchor)
    mounted(tmp_path / "certs", {source.name: source.read_bytes() for source in sources})
    mounted(tmp_path / "password", {"password": PASSWORD.encode()})
    (tmp_path / "bundle").mkdir()
    (container,) = manifests["Deployment"]["spec"]["template"]["spec"]["initContainers"]
    paths = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert paths == {f"/mnt/{folder.name}" for folder in tmp_path.iterdir()}
    arguments = [argument.replace("/mnt", str(tmp_path)) for argument in container["args"]]
    done = subprocess.run(
        [sys.executable, "-m", *container["command"], *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    decoded = decode_pfx((tmp_path / "bundle" / "keystore.p12").read_bytes(), password=PASSWORD)
    assert decoded.certificates == Bundle.from_path(replica.server, replica.valid_paths[0]).certificates
    assert decoded.private_key is not None
