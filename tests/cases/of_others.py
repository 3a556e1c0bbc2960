"""More oddities of each kind, which tests elsewhere try in many variants."""

from __future__ import annotations

from typing import Final

from .oddities import Oddity

_FORMS: Final = "Forms of files"
_KEYS: Final = "Private keys"
_ENTRIES: Final = "Entries and attributes of PKCS#12 files"
_SEVERAL: Final = "Several keys or certificates"
_STRINGS: Final = "Strings in names"
_CONSTRAINTS: Final = "Name constraints"
_EXTENSIONS: Final = "Extensions"
_CHOICE: Final = "Parallel CA certificates"
_REVOCATION: Final = "CRLs and OCSP responses"

_ROWS: Final = (
    (
        _FORMS,
        "Base64, also twice; a `data:` URL; a JSON string; `\\n` as two characters; URL encoding; UTF-16",
        "Read, for certificates, keys, CRLs and PKCS#12 files, up to four forms around each other.",
        "tests/sources/test_text_forms.py::test_certificates",
    ),
    (
        _FORMS,
        "Hexadecimal digits; a compressed file; base64 in a field of JSON, YAML or settings",
        "Refused: the message names the form and what converts it.",
        "tests/sources/test_text_forms.py::test_what_is_not_read_is_named_with_what_turns_it_right",
    ),
    (
        _FORMS,
        "Indented PEM, `>` before each line, other dashes, labels in lower case, PEM headers",
        "Read.",
        "tests/sources/test_text_forms.py::test_keys_crls_and_pkcs12",
    ),
    (
        _FORMS,
        "A damaged PEM block with any label of certificates or CRLs",
        "Reported with the file, the number and the label. A file of CRLs with a damaged block is refused.",
        "tests/sources/test_pem_damage.py::test_damage_is_a_reject",
    ),
    (
        _FORMS,
        "Two different PKCS#12 files in one text",
        "Refused.",
        "tests/sources/test_text_forms.py::test_several_files_in_one_text",
    ),
    (
        _KEYS,
        "PKCS#8 version 2 with the public key of another key; an EC key with another public key",
        "Refused for this reason.",
        "tests/pkcs12/test_key_encodings.py::test_version_2_is_read_and_its_public_key_has_to_agree",
    ),
    (
        _KEYS,
        "PBES2 with AES-GCM or AES-CCM",
        "Read. A tag of fewer than 12 bytes is refused.",
        "tests/pkcs12/test_schemes_by_name.py::test_authenticated_encryption_is_opened",
    ),
    (
        _KEYS,
        "Another encryption, key derivation or MAC that is not supported, such as GOST",
        "Refused by its name, whatever the password is.",
        "tests/pkcs12/test_schemes_by_name.py::test_unknown_schemes_are_named_in_a_file",
    ),
    (
        _KEYS,
        "Traditional encryption with another cipher of OpenSSL in CBC mode",
        "Read, except ARIA and DESX, which are refused by name.",
        "tests/sources/test_encrypted_keys.py::test_ciphers_of_traditional_pem",
    ),
    (
        _KEYS,
        "Traditional encryption: blanks, tabs, CR or CRLF, header names in other spellings, more headers",
        "Read.",
        "tests/sources/test_encrypted_keys.py::test_headers_of_other_programs",
    ),
    (
        _KEYS,
        "An RSA key without its primes or CRT values",
        "Read: the missing numbers are computed.",
        "tests/pkcs12/test_rsa_numbers.py::test_missing_numbers_are_computed",
    ),
    (
        _KEYS,
        "An RSA key of more than two primes, or with numbers that do not fit together",
        "Refused for this reason.",
        "tests/pkcs12/test_rsa_numbers.py::test_keys_of_many_primes_are_named",
    ),
    (
        _KEYS,
        "A label that does not fit, such as PKCS#8 in `BEGIN RSA PRIVATE KEY`",
        "Read by its contents.",
        "tests/sources/test_encrypted_keys.py::test_the_content_of_a_block_decides_not_its_label",
    ),
    (
        _SEVERAL,
        "Two different keys in a PEM file",
        "Refused; the error lists both.",
        "tests/sources/test_several_pem_keys.py::test_two_keys",
    ),
    (
        _SEVERAL,
        "Two keys, neither with a name nor with a localKeyID",
        "`--key-id` accepts the SHA-256 of the public key, which the error lists.",
        "tests/pkcs12/test_key_choice.py::test_the_error_is_enough_to_choose_each_key",
    ),
    (
        _ENTRIES,
        "A bag of an unknown type",
        "A note. `convert` keeps the bag byte for byte.",
        "tests/pkcs12/test_unread_entries.py::test_other_bags_are_noted",
    ),
    (
        _ENTRIES,
        "A certificate that is not X.509, or is damaged",
        "Reported; the others are read.",
        "tests/pkcs12/test_unread_entries.py::test_no_certificate_is_dropped_in_silence",
    ),
    (
        _ENTRIES,
        "friendlyName or localKeyID of any other type, without a value, with half of a surrogate pair",
        "A note. `convert` keeps the attribute byte for byte.",
        "tests/pkcs12/test_bag_attributes.py::test_every_attribute_is_read_and_kept",
    ),
    (
        _STRINGS,
        "Latin-1 in a UTF8String, bytes above 127 in a TeletexString or an IA5String, a BMPString of odd length",
        "Read, with a note. Bytes that are not text are shown in hexadecimal, and only equal bytes match them.",
        "tests/certificates/test_strings.py::test_each_string_is_read_and_shown",
    ),
    (
        _CONSTRAINTS,
        "A subtree of a form that is not applied (x400Address, ediPartyName), and a certificate with such a name",
        "No path: the message names the server, the CA, the subtree and the clause.",
        "tests/paths/validation/test_odd_name_constraints.py::test_a_subtree_that_is_not_applied_is_named",
    ),
    (
        _CONSTRAINTS,
        "A subtree that certvalidator misreads",
        "Applied. The second opinion is *cannot judge*, which does not stop `build`.",
        "tests/paths/test_odd_certificates.py::test_the_second_opinion_says_yes_or_nothing",
    ),
    (
        _EXTENSIONS,
        "An extension that validation does not need, badly encoded and not critical",
        "A note that names it.",
        "tests/certificates/test_extension_damage.py::test_damage_elsewhere_is_a_note",
    ),
    (
        _EXTENSIONS,
        "An extension that validation needs or that is critical, badly encoded; any extension twice",
        "The certificate is refused, and the message names the extension.",
        "tests/certificates/test_extension_damage.py::test_damage_where_validation_looks_refuses",
    ),
    (
        _EXTENSIONS,
        "A serial number that is not positive, a long common name, a country code of other than two letters",
        "Read, with a note. No Python warning is written.",
        "tests/certificates/test_library_warnings.py::test_what_pyca_cryptography_warns_of_is_read_in_silence",
    ),
    (
        _CHOICE,
        "A file or a server has a CA certificate that the authorityKeyIdentifier below it does not name",
        "`verify`, `rehearse` and `probe` say no, and name the clients that refuse it.",
        "tests/verifier/test_named_issuers.py::test_a_mismatch_fails_and_names_the_clients",
    ),
    (
        _REVOCATION,
        "CRL distribution points that cannot be read",
        "The issuer's own CRL can revoke, but cannot show that the certificate is good.",
        "tests/paths/revocation/test_odd_names_in_crls.py::test_points_that_cannot_be_read_are_not_taken_for_none",
    ),
)

ODDITIES: Final = tuple(
    Oddity(kind=kind, oddity=oddity, outcome=outcome, test=test) for kind, oddity, outcome, test in _ROWS
)
