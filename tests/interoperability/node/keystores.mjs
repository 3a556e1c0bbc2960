// Writes PKCS#12 files with node-forge and PKI.js.
//
// Standard input is a JSON list of jobs: library, options, key (PKCS#8 in PEM), chain (PEM), password (the file that
// holds it), file. Standard output is a JSON list of the results: null, or the reason why nothing was written.

import { readFileSync, writeFileSync } from "node:fs";
import { webcrypto } from "node:crypto";
import * as asn1js from "asn1js";
import forge from "node-forge";
import * as pkijs from "pkijs";

const FRIENDLY_NAME = "1.2.840.113549.1.9.20";
const LOCAL_KEY_ID = "1.2.840.113549.1.9.21";
const KEY_BAG = "1.2.840.113549.1.12.10.1.2";
const CERTIFICATE_BAG = "1.2.840.113549.1.12.10.1.3";

pkijs.setEngine("node", new pkijs.CryptoEngine({ name: "node", crypto: webcrypto }));

function pemBlocks(text) {
  return [...text.matchAll(/-----BEGIN [^-]+-----([^-]+)-----END/g)].map((found) => Buffer.from(found[1], "base64"));
}

function withForge({ options, key, chain, password }) {
  const certificates = chain.map((der) => forge.pki.certificateFromAsn1(forge.asn1.fromDer(der.toString("binary"))));
  const privateKey = forge.pki.privateKeyFromAsn1(forge.asn1.fromDer(key.toString("binary")));
  const pfx = forge.pkcs12.toPkcs12Asn1(privateKey, certificates, password, options);
  return Buffer.from(forge.asn1.toDer(pfx).getBytes(), "binary");
}

function attributes(name, id) {
  return [
    new pkijs.Attribute({ type: FRIENDLY_NAME, values: [new asn1js.BmpString({ value: name })] }),
    new pkijs.Attribute({ type: LOCAL_KEY_ID, values: [new asn1js.OctetString({ valueHex: id })] }),
  ];
}

async function withPkijs({ options, key, chain, password }) {
  const { cipher, length, prf, digest } = options;
  const secret = new TextEncoder().encode(password).buffer;
  const encryption = {
    password: secret,
    contentEncryptionAlgorithm: { name: cipher, length },
    hmacHashAlgorithm: prf,
    iterationCount: 2048,
  };
  const id = new Uint8Array([1]).buffer;
  const keyBag = new pkijs.PKCS8ShroudedKeyBag({ parsedValue: pkijs.PrivateKeyInfo.fromBER(key) });
  await keyBag.makeInternalValues(encryption);
  const certificateBags = chain.map(
    (der, index) =>
      new pkijs.SafeBag({
        bagId: CERTIFICATE_BAG,
        bagValue: new pkijs.CertBag({ parsedValue: pkijs.Certificate.fromBER(der) }),
        bagAttributes: index === 0 ? attributes("server", id) : undefined,
      }),
  );
  const pfx = new pkijs.PFX({
    parsedValue: {
      integrityMode: 0,
      authenticatedSafe: new pkijs.AuthenticatedSafe({
        parsedValue: {
          safeContents: [
            {
              privacyMode: 0,
              value: new pkijs.SafeContents({
                safeBags: [
                  new pkijs.SafeBag({ bagId: KEY_BAG, bagValue: keyBag, bagAttributes: attributes("server", id) }),
                ],
              }),
            },
            { privacyMode: 1, value: new pkijs.SafeContents({ safeBags: certificateBags }) },
          ],
        },
      }),
    },
  });
  await pfx.parsedValue.authenticatedSafe.makeInternalValues({ safeContents: [{}, encryption] });
  await pfx.makeInternalValues({
    password: secret,
    iterations: 2048,
    pbkdf2HashAlgorithm: prf,
    hmacHashAlgorithm: digest,
  });
  return Buffer.from(pfx.toSchema().toBER());
}

const results = [];
for (const job of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    const given = {
      options: job.options,
      key: pemBlocks(readFileSync(job.key, "utf8"))[0],
      chain: pemBlocks(readFileSync(job.chain, "utf8")),
      password: readFileSync(job.password, "utf8"),
    };
    const written = await (job.library === "node-forge" ? withForge(given) : withPkijs(given));
    writeFileSync(job.file, written, { mode: 0o600 });
    results.push(null);
  } catch (failure) {
    results.push(String(failure));
  }
}
console.log(JSON.stringify(results));
