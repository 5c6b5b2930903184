"""The same stamp by pyHanko alone, to compare with: as its documentation has it, and tuned as far as it goes.

Tuned means its public interface with everything reused that can be: a signer that keeps its key loaded, a fixed
reserve for the seal, a ready-made drawing with our code, the output written in place.
"""

import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.content import PdfContent, ResourceType
from pyhanko.pdf_utils.generic import DictionaryObject, StreamObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import (
    AxisAlignment,
    BoxConstraints,
    InnerScaling,
    SimpleBoxLayoutRule,
)
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.stamp import BaseStampStyle, StaticStampStyle, TextStampStyle

from meterai.pdf import mark as art
from meterai.proving.pki import Issued
from meterai.signing.keys import FileKey

Contender = Callable[[bytes, str, str], Awaitable[bytes]]
"""From document, serial and address to the stamped file."""

_PASSPHRASE = b"contoh"
_RESERVE = {"B-B": 8 * 1024, "B-T": 16 * 1024}
_BOX = (440, 100, 440 + int(art.SIDE), 100 + int(art.SIDE))
_AS_IT_IS = SimpleBoxLayoutRule(
    x_align=AxisAlignment.ALIGN_MIN,
    y_align=AxisAlignment.ALIGN_MIN,
    inner_content_scaling=InnerScaling.NO_SCALING,
)


class Asking(TimeStamper):
    """Asks an authority over a connection that is kept open."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # pyHanko's own
        self._client, self._url = client, url

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """See pyHanko."""
        headers = {"Content-Type": "application/timestamp-query"}
        reply = await self._client.post(self._url, content=req.dump(), headers=headers)
        return tsp.TimeStampResp.load(reply.content)


class _LoadedSigner(signers.SimpleSigner):
    """Signs with a key that stays loaded; pyHanko's own loads, and for RSA checks, it for every signature."""

    key: FileKey

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        """See pyHanko."""
        del digest_algorithm, dry_run
        return self.key.sign_now(data)


class _Drawing(PdfContent):
    """Our mark, drawn with what is ready."""

    def __init__(self, serial: str, address: str) -> None:
        super().__init__(box=BoxConstraints(int(art.SIDE), int(art.SIDE)))
        self._face = art.face(serial, address)

    def render(self) -> bytes:
        """See pyHanko."""
        colours = DictionaryObject({pdf_name("/C"): _colour_space()})
        ground = StreamObject(
            {
                pdf_name("/Type"): pdf_name("/XObject"),
                pdf_name("/Subtype"): pdf_name("/Form"),
                pdf_name("/BBox"): generic.ArrayObject(
                    generic.NumberObject(value) for value in (0, 0, 66, 66)
                ),
                pdf_name("/Resources"): DictionaryObject({pdf_name("/ColorSpace"): colours}),
            },
            stream_data=art.ground(),
        )
        writer = self.writer
        assert writer is not None
        self.set_resource(ResourceType.XOBJECT, pdf_name("/G"), writer.add_object(ground))
        self.set_resource(ResourceType.COLOR_SPACE, pdf_name("/C"), _colour_space())
        return self._face


def _colour_space() -> Any:
    numbers = {
        "/WhitePoint": "0.9505 1 1.089",
        "/Gamma": "2.2 2.2 2.2",
        "/Matrix": "0.4124 0.2126 0.0193 0.3576 0.7152 0.1192 0.1805 0.0722 0.9505",
    }
    said = DictionaryObject(
        {
            pdf_name(name): generic.ArrayObject(generic.FloatObject(word) for word in row.split())
            for name, row in numbers.items()
        }
    )
    return generic.ArrayObject([pdf_name("/CalRGB"), said])


def _metadata(serial: str) -> signers.PdfSignatureMetadata:
    return signers.PdfSignatureMetadata(
        field_name=f"Meterai-{serial}",
        md_algorithm="sha256",
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        subfilter=fields.SigSeedSubFilter.PADES,
    )


def _field(serial: str) -> fields.SigFieldSpec:
    return fields.SigFieldSpec(f"Meterai-{serial}", on_page=-1, box=_BOX)


def make_p12(seal: Issued, chain: tuple[bytes, ...], file: Path) -> None:
    """The seal's key and certificates stand in a PKCS #12 file, as people keep them."""
    above = [x509.load_der_x509_certificate(der) for der in chain[1:]]
    locked = BestAvailableEncryption(_PASSPHRASE)
    file.write_bytes(
        pkcs12.serialize_key_and_certificates(b"seal", seal.key, seal.certificate, above, locked)
    )


def _signer(
    serial: str, signer: signers.Signer, authority: TimeStamper | None, style: BaseStampStyle
) -> signers.PdfSigner:
    return signers.PdfSigner(
        _metadata(serial),
        signer=signer,
        timestamper=authority,
        stamp_style=style,
        new_field_spec=_field(serial),
    )


def documented(p12: Path, level: str, authority: TimeStamper) -> Contender:
    """As the documentation has it: a signer from a PKCS #12 file, a stamp style, defaults.

    Its stamp is text without a code, which is cheaper than ours: pyHanko draws codes with a package of its own.
    """

    async def stamp(document: bytes, serial: str, address: str) -> bytes:
        signer = signers.SimpleSigner.load_pkcs12(str(p12), passphrase=_PASSPHRASE)
        style = TextStampStyle(stamp_text="CONTOH\n%(serial)s\n%(url)s")
        writer = IncrementalPdfFileWriter(io.BytesIO(document))
        made = _signer(serial, signer, authority if level == "B-T" else None, style)
        texts = {"serial": serial, "url": address}
        out = await made.async_sign_pdf(writer, appearance_text_params=texts)
        return bytes(out.getbuffer())

    return stamp


def tuned(p12: Path, key: FileKey, level: str, authority: TimeStamper) -> Contender:
    """With everything reused that can be."""
    read = signers.SimpleSigner.load_pkcs12(str(p12), passphrase=_PASSPHRASE)
    signer = _LoadedSigner(read.signing_cert, read.signing_key, read.cert_registry)
    signer.key = key

    async def stamp(document: bytes, serial: str, address: str) -> bytes:
        writer = IncrementalPdfFileWriter(io.BytesIO(document), strict=False)
        style = StaticStampStyle(
            border_width=0, background=_Drawing(serial, address), background_layout=_AS_IT_IS
        )
        made = _signer(serial, signer, authority if level == "B-T" else None, style)
        out = await made.async_sign_pdf(
            writer, bytes_reserved=2 * _RESERVE[level], in_place=True, chunk_size=1 << 20
        )
        return bytes(out.getbuffer())

    return stamp
