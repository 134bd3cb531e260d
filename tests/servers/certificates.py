"""An authority that only this run trusts, and its certificates for a server and for a client, made by openssl."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.servers.process import needed

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3")


class Certificates(NamedTuple):
    """PEM files: what to trust, and certificate and private key of each side."""

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path

    @property
    def server_chain(self) -> Path:
        """Key and certificate in one file, as Kafka reads them."""
        return self.server.with_name("server-chain.pem")


def certificates_in(folder: Path) -> Certificates:
    """The files of a folder in which they are made, or will be."""
    names = ("authority.pem", "server.pem", "server.key", "client.pem", "client.key")
    return Certificates(*(folder / name for name in names))


def make_certificates(folder: Path) -> Certificates:
    """Makes all of them in the folder. Raises ServerError without openssl."""
    folder.mkdir(parents=True, exist_ok=True)
    made = certificates_in(folder)
    authority_key = folder / "authority.key"
    _request(made.authority, authority_key, "/CN=test authority", "keyUsage=critical,keyCertSign,cRLSign")
    signed = ("-CA", made.authority, "-CAkey", authority_key)
    _request(made.server, made.server_key, "/CN=server", "subjectAltName=IP:127.0.0.1", *signed)
    _request(made.client, made.client_key, "/CN=client", "extendedKeyUsage=clientAuth", *signed)
    made.server_chain.write_bytes(made.server_key.read_bytes() + made.server.read_bytes())
    return made


def _request(certificate: Path, key: Path, subject: str, extension: str, *signed: str | Path) -> None:
    openssl = needed("openssl", "openssl")
    files = ("-out", certificate, "-keyout", key)
    command = [openssl, "req", "-x509", *KEY, "-subj", subject, "-addext", extension, *files, *signed]
    subprocess.run(command, check=True, capture_output=True)
