"""How a carrier's connection comes to be: encrypted, or dialled by the carrier."""

from ipaddress import ip_network
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from smsgw.settings.section import Section
from smsgw.settings.types import (
    Credential,
    Duration,
    ExistingFile,
    Host,
    Listen,
    Network,
    PositiveDuration,
    SystemId,
    Whole,
)

# Loopback and what is not routed on the internet: RFC 1122, 1918, 6598, 4291, 4193.
PRIVATE: Final = tuple(
    map(
        ip_network,
        (
            "127.0.0.0/8",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "::1/128",
            "fc00::/7",
        ),
    )
)


class Tls(Section):
    """The files of an encrypted connection; one that changes is taken up without a restart."""

    ca_file: ExistingFile | None = None
    """Whom we believe. null: where we dial, the authorities that the system knows; where we
    listen, nobody is asked for a certificate."""
    cert_file: ExistingFile | None = None
    """Our certificate, with the chain above it."""
    key_file: ExistingFile | None = None
    """Its key; null: it stands in cert_file."""
    server_name: Host | None = None
    """The name in the carrier's certificate; null: the host."""

    @field_validator("key_file")
    @classmethod
    def _key_of_a_certificate(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and info.data.get("cert_file", value) is None:
            raise ValueError("is the key of no certificate: cert_file is missing")
        return value


def _tls(value: object) -> Any:
    if value is False:
        return None
    if value is True:
        return Tls()
    if value is None or isinstance(value, dict | Tls):
        return value
    raise PydanticCustomError("tls", "must be true, false or a mapping of keys")


TlsChoice = Annotated[Tls | None, BeforeValidator(_tls, json_schema_input_type=Tls | bool)]


class Listener(Section):
    """Where a carrier dials us, how it proves who it is, and how much of it is let in."""

    listen: Listen
    """The address that the carrier dials."""
    system_id: SystemId
    """The name that the carrier gives."""
    password: Credential
    """The password that the carrier gives: {env: NAME}, {file: PATH}, or a text in quotes."""
    networks: tuple[Network, ...] = PRIVATE
    """Where the carrier may dial from; by default loopback and private networks."""
    connections: Whole = 20
    """Connections at once."""
    connections_per_address: Whole = 10
    """Connections at once from one address."""
    bind_timeout: PositiveDuration = Duration("10s")
    """From the connection to the bind."""
