"""Makes the certificates beside it, with the `cryptography` package: `python make.py`.

They are valid from 2020 to 2120, so that no test depends on the day, and worth nothing outside
the tests: the keys are public.
"""

from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = Path(__file__).parent
FROM, TO = datetime(2020, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC)

Key = ec.EllipticCurvePrivateKey


def write(name: str, certificate: x509.Certificate, key: Key) -> None:
    """One file with both, as `cert_file` takes it."""
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (HERE / f"{name}.pem").write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM) + private
    )


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def certificate(
    subject: str, key: Key, issuer: str, signer: Key, *extensions: tuple[x509.ExtensionType, bool]
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(FROM)
        .not_valid_after(TO)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False
        )
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256())


def authority(common: str) -> Key:
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    basic = x509.BasicConstraints(ca=True, path_length=None)
    made = certificate(common, key, common, key, (basic, True), (usage, True))
    (HERE / f"{common}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return key


def leaf(file: str, issuer: str, signer: Key, *names: x509.GeneralName) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    alternative = x509.SubjectAlternativeName(names)
    write(file, certificate(file, key, issuer, signer, (alternative, False)), key)


if __name__ == "__main__":
    ours, other = authority("authority"), authority("stranger")
    loopback = x509.IPAddress(IPv4Address("127.0.0.1"))
    leaf("server", "authority", ours, loopback, x509.DNSName("smsc.example"))
    leaf("renewed", "authority", ours, loopback)
    leaf("elsewhere", "authority", ours, x509.DNSName("elsewhere.example"))
    leaf("client", "authority", ours, x509.DNSName("cez.example"))
    leaf("strangers-server", "stranger", other, loopback)
    leaf("strangers-client", "stranger", other, x509.DNSName("cez.example"))
