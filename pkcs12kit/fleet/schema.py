"""The keys of a manifest, their types and their meaning, as a model of pydantic; and the JSON Schema made from it.

No other module imports pydantic, which takes a third of a second: this one is imported where a manifest is read. The
messages are made here and in :mod:`~pkcs12kit.fleet.values`, because pydantic's own may repeat a value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError, WithJsonSchema
from pydantic.functional_validators import AfterValidator

from pkcs12kit.errors import InputError
from pkcs12kit.fleet import values
from pkcs12kit.pkcs12 import profiles, readers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import ValidationInfo

VERSION: Final = 1
TEMPLATES: Final = "templates"
"""The context of a validation in which texts may still have templates, and those are not checked any further."""


def _after(check: Callable[[str], Any]) -> AfterValidator:
    """Return the validator that checks a text, unless it has templates that are filled in later."""

    def checked(value: str, info: ValidationInfo) -> Any:  # noqa: ANN401  # of the check
        if info.context == TEMPLATES and ("{" in value or "}" in value):
            return value
        try:
            return check(value)
        except InputError as error:
            raise ValueError(str(error)) from None

    return AfterValidator(checked)


def _plain(check: Callable[[Any], Any]) -> PlainValidator:
    """Return the validator that checks a value of any kind."""

    def checked(value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401  # of TOML
        if info.context == TEMPLATES and isinstance(value, str) and check in _OF_TEXT and set(value) & {"{", "}"}:
            return value
        try:
            return check(value)
        except InputError as error:
            raise ValueError(str(error)) from None

    return PlainValidator(checked)


_OF_TEXT: Final = (values.mode, values.account, values.instant)
"""The checks that take a text or another kind of value. Those of passwords check templates as any other text."""


def _listed(value: Any) -> Any:  # noqa: ANN401  # of TOML
    return [value] if isinstance(value, str) else value


def _several(items: Mapping[str, Any]) -> tuple[BeforeValidator, WithJsonSchema]:
    of_list = {"type": "array", "items": items, "minItems": 1}
    return BeforeValidator(_listed), WithJsonSchema({"anyOf": [items, of_list]})


def _names(known: tuple[str, ...], kind: str) -> tuple[AfterValidator, WithJsonSchema]:
    check = _after(lambda value: values.one_of(value, kind, known))
    return check, WithJsonSchema({"type": "string", "enum": list(known)})


_WORDS: Final[dict[str, Any]] = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_SECRET: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "minLength": 1, "description": "A file whose first line is the password."},
        "env": {"type": "string", "minLength": 1, "description": "An environment variable that holds the password."},
        "command": _WORDS | {"description": "A program and its arguments; the first line that it prints counts."},
    },
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}
_STRING: Final = {"type": "string", "minLength": 1}
_DURATION: Final = {"type": "string", "examples": ["30d", "12h", "6w", "2y"]}
_OCTAL: Final = "^(0o)?[0-7]{1,6}$"
_TIME: Final = {"type": "string", "examples": ["2018-06-01", "2018-06-01T00:00:00Z"]}
_VERSION: Final = r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}"
_READERS: Final = {
    "type": "string",
    "anyOf": [
        {"enum": list(readers.READERS)},
        {"pattern": rf"^({'|'.join(map(re.escape, readers.PROGRAMS))})(-| *>= *){_VERSION}$"},
    ],
}

Text: TypeAlias = Annotated[str, _after(values.text), WithJsonSchema(_STRING)]
FilePath: TypeAlias = Annotated[str, _after(values.path), WithJsonSchema(_STRING)]
Texts: TypeAlias = Annotated[list[Text], Field(min_length=1), *_several(_STRING)]
FilePaths: TypeAlias = Annotated[list[FilePath], Field(min_length=1), *_several(_STRING)]
Policy: TypeAlias = Annotated[str, _after(values.policy)]
Policies: TypeAlias = Annotated[list[Policy], Field(min_length=1), *_several(_STRING)]
Host: TypeAlias = Annotated[str, _after(values.host)]
Hosts: TypeAlias = Annotated[list[Host], Field(min_length=1), *_several(_STRING)]
Reader: TypeAlias = Annotated[str, _after(values.reader)]
Readers: TypeAlias = Annotated[list[Reader], Field(min_length=1), *_several(_READERS)]
ServerName: TypeAlias = Annotated[str, _after(values.server_name), WithJsonSchema(_STRING)]
Duration: TypeAlias = Annotated[str, _after(values.duration), WithJsonSchema(_DURATION)]
KeyId: TypeAlias = Annotated[str, _after(values.key_id), WithJsonSchema(_STRING)]
Profile: TypeAlias = Annotated[str, *_names(profiles.names(), "profile")]
Algorithms: TypeAlias = Annotated[str, *_names(values.ALGORITHMS, "value")]
Ranking: TypeAlias = Annotated[str, *_names(values.RANKINGS, "value")]
Form: TypeAlias = Annotated[str, *_names(values.FORMS, "form")]
RevocationMode: TypeAlias = Annotated[str, *_names(values.REVOCATION_MODES, "value")]
Secret: TypeAlias = Annotated[Any, _plain(values.secret), WithJsonSchema(_SECRET)]
SecretFile: TypeAlias = Annotated[str, _after(values.path), WithJsonSchema(_STRING)]
Command: TypeAlias = Annotated[Any, _plain(values.command), WithJsonSchema(_WORDS)]
Mode: TypeAlias = Annotated[
    Any,
    _plain(values.mode),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": _OCTAL}, {"type": "integer"}]}),
]
Account: TypeAlias = Annotated[
    Any, _plain(values.account), WithJsonSchema({"anyOf": [_STRING, {"type": "integer", "minimum": 0}]})
]
Instant: TypeAlias = Annotated[Any, _plain(values.instant), WithJsonSchema(_TIME)]
Seconds: TypeAlias = Annotated[
    Any, _plain(values.seconds), WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 86_400})
]
Count: TypeAlias = Annotated[int, Field(ge=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def _key(description: str, **more: Any) -> Any:  # noqa: ANN401  # pydantic's fields have any type
    return Field(default=None, description=description, **more)


class Defaults(_Table):
    """The values of all bundles that have none of their own."""

    key: FilePath = _key("The server's private key, in PEM or DER, or a PKCS#12 file that holds it.")
    certificate: FilePath = _key("The server's certificate, or a chain that contains it, in any form.")
    pkcs12: FilePath = _key("A PKCS#12 file with key and certificate, instead of `key`; `output` may be the same file.")
    from_: FilePath = _key("A delivered folder or zip with key and certificate, instead of both.", alias="from")
    key_name: Text = _key("The friendly name of the key to use, if the PKCS#12 file has several keys.")
    key_id: KeyId = _key("The localKeyID of the key to use, in hexadecimal, or the SHA-256 of its public key.")
    certs_only: bool = _key("Write no key, only the certificates of the path from `certificate`.")
    certificates: FilePaths = _key("CA certificates that the path may contain: files of any kind, folders, zips.")
    trust_anchors: FilePaths = _key("The files with the root certificates that the clients trust.")
    output: FilePath = _key("The file to write. In `[defaults]` it has the template `{name}`.")
    password: Secret = _key("Where the password of the new file is read.")
    key_password: Secret = _key("Where the password of `key` is read.")
    pkcs12_password: Secret = _key("Where the password of `pkcs12` is read.")
    certificate_password: Secret = _key("Where the password of `certificate` is read, if that is a PKCS#12 file.")
    contents_password: Secret = _key("Where the password of the contents is read, if it differs from the MAC's.")
    key_password_file: SecretFile = _key('The same as `key_password = { file = "..." }`.')
    pkcs12_password_file: SecretFile = _key('The same as `pkcs12_password = { file = "..." }`.')
    cert_password_file: SecretFile = _key('The same as `certificate_password = { file = "..." }`.')
    contents_password_file: SecretFile = _key('The same as `contents_password = { file = "..." }`.')
    require_mac: bool = _key("Reject a PKCS#12 file that anybody could have changed.")
    max_iterations: Count = _key("The most iterations that a PKCS#12 file may ask for, for one key.")
    at: Instant = _key("The time at which the path must be valid. Default: the time of the run.")
    server_name: ServerName = _key("The DNS name or IP address that the certificate must be for.")
    policy: Policies = _key("Certificate policies, of which the path must be valid for one: object identifiers.")
    algorithms: Algorithms = _key("Which algorithms and key sizes count as strong enough.")
    ranking: Ranking = _key("Which valid path comes first if there are several.")
    ignore_anchor_validity: bool = _key("Accept a trust anchor whose own certificate is expired or not yet valid.")
    expires_within: Duration = _key("Report the bundle as failed if its path ends within this time.")
    crl: FilePaths = _key("CRLs for checking revocation: files or folders.")
    ocsp: FilePaths = _key("OCSP responses for checking revocation: files or folders.")
    revocation: RevocationMode = _key("How revocation is checked. Default: soft with `crl` or `ocsp`, else off.")
    revocation_max_age: Duration = _key("The greatest age of a CRL or OCSP response without nextUpdate.")
    to: Form = _key("The form: a PKCS#12 file, or PEM for servers, where the key is not encrypted.")
    key_out: FilePath = _key('With `to = "pem"`: the file for the key, apart from the certificates.')
    traditional: bool = _key('With `to = "pem"`: write the key in PKCS#1 or SEC 1, older than PKCS#8.')
    no_anchor: bool = _key('Leave the trust anchor\'s certificate out of the file. The default with `to = "pem"`.')
    with_anchor: bool = _key('Write the trust anchor\'s certificate. The default without `to = "pem"`.')
    force: bool = _key("Replace an existing file of another kind. An input is never replaced.")
    truststore: bool = _key("With `certs_only`: mark the certificates as trusted, for Java.")
    owner: Account = _key("The user that the new file belongs to, by name or number.")
    group: Account = _key("The group of the new file, by name or number.")
    mode: Mode = _key('The mode of the new file: `"0640"` or `0o640` lets its group read it.')
    profile: Profile = _key("The encryption and the MAC of the new file.")
    for_: Readers = _key("The programs that must be able to open the new file, instead of `profile`.", alias="for")
    iterations: Count = _key("The number of iterations of each key derivation, instead of the profile's.")
    mac_iterations: Count = _key("The number of iterations for the MAC, where it differs.")
    friendly_name: Text = _key("The name of the key and of its certificate, which programs show.")
    certificate_name: Text = _key("The name of the certificate, if it differs from that of the key.")
    ca_name: Texts = _key("The names of the CA certificates, the issuer of the server's certificate first.")
    no_second_opinion: bool = _key("Do not have the path validated a second time, by certvalidator.")
    rehearse: bool = _key("After writing, serve the file to TLS clients, which must accept it.")
    fetch: bool = _key("Fetch what is missing from the URLs in the certificates.")
    cache: FilePath = _key("With `fetch`: the folder that keeps what was fetched.")
    no_cache: bool = _key("With `fetch`: do not read or write a cache.")
    offline: bool = _key("With `fetch`: do not use the network, only what is in the cache.")
    allow_private: bool = _key("With `fetch`: also connect to private, loopback and link-local addresses.")
    timeout: Seconds = _key("With `fetch`: start no further request after this many seconds.")
    after: Command = _key("The command to run once the file has changed: a program and its arguments, no shell.")
    after_timeout: Seconds = _key("The seconds that `after` may take.")
    serves: Hosts = _key("The servers, `host:port`, that have to send the new certificate.")
    serves_timeout: Seconds = _key("The seconds until the servers have to send it.")


class Bundle(Defaults):
    """One bundle, or with `each` one for each match."""

    name: Text = _key("The name of the bundle, which no other bundle has. With `each` its default is `{name}`.")
    each: FilePath = _key(
        "A pattern for files or folders, such as `hosts/*`: one bundle is made for each match, with `{name}` and"
        " `{folder}` for its name and folder."
    )


class Document(_Table):
    """Many PKCS#12 files, made by pkcs12kit batch."""

    version: int = Field(description="The version of this format.", json_schema_extra={"const": VERSION})
    defaults: Defaults = Field(
        default_factory=Defaults, description="What holds for every bundle, if it says nothing else."
    )
    bundle: list[Bundle] = Field(min_length=1, description="A bundle, each with a header `[[bundle]]` of its own.")


KEYS: Final = tuple(field.alias or name for name, field in Bundle.model_fields.items())
"""The keys of a bundle."""
DEFAULT_KEYS: Final = tuple(field.alias or name for name, field in Defaults.model_fields.items())
"""The keys of the defaults."""
SCHEMA_ID: Final = "urn:pkcs12kit:manifest:1"


def checked(
    model: type[BaseModel], table: Mapping[str, Any], context: str | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the values of a table as they are used, by key, and pydantic's errors, of which sentences are made.

    There are no values if there are errors. The errors hold the input: they are never shown as they are.
    """
    try:
        found = model.model_validate(table, context=context)
    except ValidationError as error:
        return {}, [dict(one) for one in error.errors(include_url=False)]
    fields = model.model_fields
    return {fields[name].alias or name: getattr(found, name) for name in found.model_fields_set}, []


def manifest_schema() -> dict[str, Any]:
    """Return the JSON Schema of a manifest, by which editors complete and check it."""
    schema = Document.model_json_schema(by_alias=True)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Manifest of pkcs12kit batch",
    }
    return {**head, **_without_titles(schema)}


def _without_titles(schema: Any) -> Any:  # noqa: ANN401  # of JSON
    """Return the schema without the titles that pydantic makes from the names of keys, and without null defaults."""
    if isinstance(schema, list):
        return [_without_titles(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {key: _without_titles(one) for key, one in value.items()}
        if name == "properties"
        else _without_titles(value)
        for name, value in schema.items()
        if name != "title" and not (name == "default" and value in (None, {}))
    }
