"""Provision one TLS host: write its key, its certificate and the path to the trust anchor into one PKCS#12 file.

read -rs P12_PASSWORD && export P12_PASSWORD
python provision_host.py server.key server.pem CA_FOLDER anchor.pem mdm.example.mil server.p12
"""

import os
import sys
from datetime import UTC, datetime

import pkcs12kit as pk

try:
    key, certificate, certs, anchor, server_name, output = sys.argv[1:]
    password = os.environ.get("P12_PASSWORD") or sys.exit(__doc__)
except ValueError:
    sys.exit(__doc__)
try:
    server = pk.load_identity(key=key, certificate=certificate)
    pool = pk.load_certificates(certs)
    parameters = pk.ValidationParameters(time=datetime.now(UTC), server_name=server_name)
    anchors = pk.load_trust_anchors(anchor)
    path = pk.find_path(server.certificate, pool=pool, trust_anchors=anchors, parameters=parameters)
    second = pk.confirm(path, parameters)
    if second.opinion is not pk.Opinion.VALID:
        sys.exit(f"{server_name}: nothing written: {second}")
    bundle = pk.Bundle.from_path(server, path, friendly_name=server_name)
    pk.write_pfx(output, pk.encode_pfx(bundle, password=password, profile=pk.profiles.MODERN))
except pk.NoValidPathError as error:
    reasons = [f"  {tried.certificate.subject}: {tried.detail} [{tried.section}]" for tried in error.attempts]
    sys.exit("\n".join([f"{server_name}: nothing written, no valid path:", *reasons]))
except pk.Pkcs12KitError as error:
    sys.exit(f"{server_name}: nothing written: {error}")
print(f"{server_name}: wrote {output}, {len(bundle.certificates)} certificates, valid until {path.expires:%Y-%m-%d}")
