"""Keys of applications, made anew by a test."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def write_private_key(folder: Path) -> Path:
    """Return the file of a new private key (RSA, PEM) in the folder."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file = folder / "application.key"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file
