"""A proxy that redirects an exchange's host names to a node on this computer, for programs without an address setting.

They find it by HTTPS_PROXY, as behind any company's proxy; it answers `CONNECT name:443` itself, with a certificate for
the name, and passes what was inside to the node. They trust the certificate by SSL_CERT_FILE.
"""

import asyncio
import contextlib
import datetime
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from coinone.interfaces.client.local import free_ports

_PIECE = 65_536
_DAY = datetime.timedelta(days=1)


@contextlib.contextmanager
def leading(names: tuple[str, ...], port: int, folder: Path) -> Iterator[dict[str, str]]:
    """The environment in which `names` are the node whose HTTP port is `port`; certificates go to `folder`."""
    authority, certificate = _certificates(names, folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    (own,) = free_ports(1)
    loop = asyncio.new_event_loop()
    opened, closed = threading.Event(), asyncio.Event()
    serving = _serve(own, port, names, context, opened, closed)
    thread = threading.Thread(target=loop.run_until_complete, args=(serving,))
    thread.start()
    try:
        assert opened.wait(10), "the proxy did not open"
        yield {"HTTPS_PROXY": f"http://127.0.0.1:{own}", "SSL_CERT_FILE": str(authority)}
    finally:
        loop.call_soon_threadsafe(closed.set)
        thread.join()
        loop.close()


async def _serve(
    own: int,
    port: int,
    names: tuple[str, ...],
    context: ssl.SSLContext,
    opened: threading.Event,
    closed: asyncio.Event,
) -> None:
    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            if request.split()[1] not in {f"{name}:443" for name in names}:
                writer.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
            else:
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                await writer.start_tls(context)
                node_reader, node_writer = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(_pass(reader, node_writer), _pass(node_reader, writer))
        writer.close()

    server = await asyncio.start_server(tunnel, "127.0.0.1", own)
    opened.set()
    await closed.wait()
    server.close()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_PIECE):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


def _certificates(names: tuple[str, ...], folder: Path) -> tuple[Path, Path]:
    """Two files: an authority's certificate, made for this; a certificate of `names` that it signed, with the key."""
    issuing, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    title = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test's authority")])
    now = datetime.datetime.now(datetime.UTC)

    def signed(subject: x509.Name, public: ec.EllipticCurvePublicKey, own: x509.ExtensionType) -> bytes:
        made = x509.CertificateBuilder(
            title, subject, public, x509.random_serial_number(), now - _DAY, now + _DAY
        )
        return (
            made.add_extension(own, critical=False)
            .sign(issuing, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )

    authority, certificate = folder / "authority.pem", folder / "names.pem"
    authority.write_bytes(signed(title, issuing.public_key(), x509.BasicConstraints(True, None)))
    ours = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate.write_bytes(signed(ours, key.public_key(), alternatives) + private)
    return authority, certificate
