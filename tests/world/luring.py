"""Files that name an address wherever a careless reader would go and look."""

import asyncio
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID
from pikepdf import Array, Dictionary, Name, Pdf, String

from meterai.clock import now
from meterai.signing.keys import FileKey, algorithm_of
from meterai.signing.seal import Sealer
from world import pki
from world.documents import changed, letter
from world.sealed import sealed


def certificate(address: str) -> FileKey:
    """A self-signed key whose certificate names the address for its issuer, its lists and its status."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Umpan")])
    place = x509.UniformResourceIdentifier(address)
    access = x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place),
            x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place),
        ]
    )
    lists = x509.CRLDistributionPoints([x509.DistributionPoint([place], None, None, None)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=99))
        .add_extension(access, critical=False)
        .add_extension(lists, critical=False)
        .sign(key, hashes.SHA256())
    )
    leaf = made.public_bytes(Encoding.DER)
    return FileKey((leaf,), algorithm_of(leaf), key)


def sealed_with(key: FileKey) -> bytes:
    return asyncio.run(sealed(sealer=Sealer(key, pki.time_stamps())))


def acting(address: str) -> bytes:
    """Actions, a link, a form's target, and contents that are said to lie elsewhere."""

    def act(pdf: Pdf) -> None:
        uri = Dictionary(S=Name.URI, URI=String(address))
        pdf.Root.OpenAction = uri
        pdf.Root.AA = Dictionary(WC=Dictionary(S=Name.SubmitForm, F=String(address)))
        pdf.Root.URI = Dictionary(Base=String(address))
        link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=uri)
        pdf.pages[0].obj.Annots = pdf.make_indirect(Array([pdf.make_indirect(link)]))
        outside = Dictionary(FS=Name.URL, F=String(address))
        pdf.pages[0].obj.Contents = pdf.make_stream(b"", Dictionary(F=outside))

    return changed(letter(), act)
