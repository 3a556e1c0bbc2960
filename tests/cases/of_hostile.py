"""Certificates and files that an attacker makes (``hostile.py`` and ``budgets.py`` of the shared cases)."""

from __future__ import annotations

from typing import Final

from .oddities import NO, UNUSABLE, YES, Oddity, Step

_DECOYS: Final = "Certificates that an attacker adds"
_REFUSED: Final = "Certificates that are refused"
_WORK: Final = "Files that ask for much work"
_BESIDE: Final = "A path; the decoy never stops the search."
_ANY: Final = (YES, NO, UNUSABLE)
_LIMIT: Final = "Refused, at a limit."


def _decoy(name, oddity):
    file = f"decoys/{name}.pem"
    steps = (
        Step(line="paths leaf.pem --certs ca.pem --certs decoys --anchor anchor.pem"),
        Step(line="graph ca.pem decoys --anchor anchor.pem --json"),
        Step(
            line="build --key leaf.key --cert leaf.pem --certs ca.pem --certs decoys --anchor anchor.pem"
            " --password-file {out}/pw.txt --out {out}/server.p12"
        ),
        Step(line=f"paths {file} --certs ca.pem --anchor anchor.pem", status=(NO, UNUSABLE)),
        Step(line=f"paths leaf.pem --certs ca.pem --anchor {file}", status=(NO, UNUSABLE)),
        Step(line=f"graph {file}", status=_ANY),
    )
    return Oddity(script="hostile", case=f"decoys/{name}", kind=_DECOYS, oddity=oddity, outcome=_BESIDE, steps=steps)


def _refused(name, oddity):
    line = f"paths refused/{name}.leaf.pem --certs refused/{name}.pem --anchor anchor.pem"
    step = Step(line=line, status=(NO, UNUSABLE))
    return Oddity(
        script="hostile",
        case=f"refused/{name}",
        kind=_REFUSED,
        oddity=oddity,
        outcome="No path through it.",
        steps=(step,),
    )


def _bomb(name, oddity):
    lines = [f"inspect bombs/{name} --password-file bombs/pw.txt"] if name.endswith(".p12") else []
    lines.append(f"paths namesakes/target.pem --certs bombs/{name} --anchor namesakes/anchor.pem")
    steps = tuple(Step(line=line, status=(NO, UNUSABLE)) for line in lines)
    return Oddity(script="budgets", case=f"bombs/{name}", kind=_WORK, oddity=oddity, outcome=_LIMIT, steps=steps)


def _heap(name, oddity):
    line = f"paths {name}/target.pem --certs {name}/pool.pem --anchor {name}/anchor.pem"
    outcome = "No path, within the budget of the search."
    step = Step(line=line, status=(NO, UNUSABLE))
    return Oddity(script="budgets", case=name, kind=_WORK, oddity=oddity, outcome=outcome, steps=(step,))


ODDITIES: Final = (
    _decoy("begins-in-year-0", "A validity from the year 0"),
    _decoy("ends-in-year-0", "A validity to the year 0"),
    _decoy("serial-of-3000-octets", "A serial number of 3,000 octets"),
    _decoy("pss-without-parameters", "RSASSA-PSS without parameters"),
    _decoy("rsa-of-400000-bits", "An RSA key of 400,000 bits"),
    _decoy("path-length-of-20000-bits", "A path length of 20,000 bits"),
    _decoy("control-characters", "Control characters and markup in a name"),
    _decoy("half-a-surrogate-pair", "Half a surrogate pair in a BMPString"),
    _refused("version-1-with-extensions", "A certificate of version 1 with extensions"),
    _refused("version-2-with-extensions", "A certificate of version 2 with extensions"),
    _refused("explicit-curve", "A key on an elliptic curve whose parameters are written out"),
    _bomb("scrypt-certificates.p12", "scrypt with a long salt, hashed many times"),
    _bomb("scrypt-mac.p12", "The same for the MAC"),
    _bomb("scrypt.key", "The same for a private key"),
    _bomb("pbkdf2-mac.p12", "PBKDF2 with a salt of 15 MiB"),
    _bomb("pkcs12kdf.p12", "The key derivation of PKCS#12 with a salt of 15 MiB"),
    _heap("dsa", "Ten CAs of one name with DSA keys, and 40 decoys with keys of 10,000 bits"),
    _heap("namesakes", "100 CAs of one name, each certified by the next"),
)
