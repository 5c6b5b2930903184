"""Other people who sign: with pyHanko, as any program would, with keys of their own."""

import io
from pathlib import Path

from asn1crypto import x509
from pyhanko.keys import load_cert_from_pemder, load_private_key_from_pemder
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from meterai.signing.keys import read_chain


def signer(folder: Path) -> SimpleSigner:
    """Somebody who signs with the statement key of the demo PKI in ``folder``."""
    chain = read_chain((folder / "statement-chain.pem").read_bytes())
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # its package is not typed
    store.register_multiple([x509.Certificate.load(der) for der in chain[1:]])
    return SimpleSigner(
        signing_cert=load_cert_from_pemder(str(folder / "trust/statements.pem")),
        signing_key=load_private_key_from_pemder(str(folder / "statement.key"), None),
        cert_registry=store,
    )


async def signed(
    document: bytes,
    field: str,
    who: SimpleSigner,
    *,
    box: tuple[int, int, int, int] | None = None,
    level: int | None = None,
) -> bytes:
    """The document with a signature in ``field``, new or empty before; ``level`` certifies it."""
    metadata = PdfSignatureMetadata(
        field_name=field,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=level is not None,
        docmdp_permissions=MDPPerm(level or 2),
    )
    spec = SigFieldSpec(field, on_page=-1, box=box)
    writer = IncrementalPdfFileWriter(io.BytesIO(document))
    out = await PdfSigner(metadata, who, new_field_spec=spec).async_sign_pdf(writer)
    content: bytes = out.getvalue()
    return content
