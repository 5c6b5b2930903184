"""Writing one incremental update that is a pure function of what goes into it.

pyHanko keeps the books of changed objects; what it would draw by chance or read from the clock (document id,
modification date, initialisation vectors) is derived here from the bytes instead, and nothing is deflated,
because two builds of zlib need not agree.
"""

import hashlib
import hmac
import io
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pyhanko.pdf_utils.crypt import SecurityHandler
from pyhanko.pdf_utils.crypt.api import CryptFilter
from pyhanko.pdf_utils.crypt.filter_mixins import (
    AESCryptFilterMixin,
    AESGCMCryptFilterMixin,
    RC4CryptFilterMixin,
)
from pyhanko.pdf_utils.generic import (
    ArrayObject,
    ByteStringObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NumberObject,
    PdfObject,
    Reference,
)
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.xref import PositionDict, XRefStream, write_xref_table

from meterai.pdf.document import Document, first_id
from meterai.pdf.errors import EncryptionNotSupported


class Revision(IncrementalPdfFileWriter):
    """The next revision of a document, being written.

    ``salt`` is what distinguishes this update from others of the same document: ids and initialisation vectors
    depend on it.
    """

    output_version = (1, 3)  # never raises /Version: the document stays what it claims to be

    def __init__(self, document: Document, salt: bytes) -> None:
        self._secret = hashlib.sha256(hashlib.sha256(document.data).digest() + salt).digest()
        super().__init__(document.reader.stream, prev=document.reader, strict=document.strict)
        self._base = len(document.data)
        self._document_id = _ids(document, self._secret)
        self._lastobj_id = max(self._lastobj_id, _highest_id(document.reader))

    @classmethod
    def _handle_id(cls, prev: PdfFileReader) -> ArrayObject:
        """Nothing yet: the constructor knows better than chance."""
        del prev
        return ArrayObject([ByteStringObject(b""), ByteStringObject(b"")])

    def touch_root(self) -> None:
        """The catalogue was changed."""
        self.update_root()  # type: ignore[no-untyped-call]  # pyHanko's own, inherited

    def section(self) -> bytes:
        """Everything that has to follow the document's bytes: objects, cross-references, trailer."""
        tail = _Tail(self._base)
        tail.write(b"\n")
        places: PositionDict = {}
        trailer: DictionaryObject = XRefStream(places) if self.stream_xrefs else DictionaryObject()
        self._populate_trailer(trailer)  # type: ignore[no-untyped-call]  # pyHanko's own, inherited
        self._write_all(tail, places)
        if self.stream_xrefs:
            start = tail.tell()
            number = self._lastobj_id + 1
            places[(0, number)] = start
            trailer[NameObject("/Size")] = NumberObject(number + 1)
            tail.write(b"%d 0 obj\n" % number)
            trailer.write_to_stream(tail, None)
            tail.write(b"\nendobj\n")
        else:
            start = write_xref_table(tail, cast("dict[tuple[int, int], int]", places))
            trailer[NameObject("/Size")] = NumberObject(self._lastobj_id + 1)
            tail.write(b"trailer\n")
            trailer.write_to_stream(tail, None)
        tail.write(b"\nstartxref\n%d\n%%%%EOF\n" % start)
        return tail.getvalue()

    def _write_all(self, tail: "_Tail", places: PositionDict) -> None:
        cipher = _PureHandler(self.security_handler, self._secret) if self._encrypt else None
        encryption = self._encrypt.idnum if isinstance(self._encrypt, IndirectObject) else None
        for generation, number in sorted(self.objects):
            places[(generation, number)] = tail.tell()
            tail.write(b"%d %d obj\n" % (number, generation))
            if cipher is not None:
                cipher.enter(number)
            self.objects[(generation, number)].write_to_stream(
                tail,
                cast("SecurityHandler | None", None if number == encryption else cipher),
                Reference(number, generation, self),
            )
            tail.write(b"\nendobj\n")


def _ids(document: Document, secret: bytes) -> ArrayObject:
    """The first id stays (it is part of the encryption key); the second names this revision."""
    second = ByteStringObject(hashlib.sha256(b"id" + secret).digest()[:16])
    first = first_id(document.reader)
    if not first and not document.encrypted:
        first = hashlib.sha256(document.data).digest()[:16]
    return ArrayObject([ByteStringObject(first), second])


def _highest_id(reader: PdfFileReader) -> int:
    """The largest object number in use; a lying /Size must not make us overwrite an object."""
    numbers = [int(reader.trailer["/Size"]) - 1]
    for revision in range(reader.total_revisions):
        data = reader.xrefs.get_xref_data(revision)
        numbers += (max(known, default=0) for known in (data.standard_xrefs, data.xrefs_in_objstm))
        if data.hybrid is not None:
            hidden = data.hybrid.xref_data
            numbers += (
                max(known, default=0) for known in (hidden.standard_xrefs, hidden.xrefs_in_objstm)
            )
        stream = reader.xrefs.get_xref_container_info(revision).stream_ref
        if stream is not None:
            numbers.append(stream.idnum)
    return max(numbers)


class _Tail(io.BytesIO):
    """A stream whose first byte is the one after the document."""

    def __init__(self, base: int) -> None:
        super().__init__()
        self._base = base

    def tell(self) -> int:
        return self._base + super().tell()


class Placeholder(PdfObject):
    """Bytes written as they are, never encrypted, whose place is known afterwards."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.start = -1
        """Offset in the whole file once written."""

    @property
    def end(self) -> int:
        """Offset of the byte after it."""
        return self.start + len(self._content)

    def write_to_stream(
        self, stream: BinaryIO, handler: object = None, container_ref: object = None
    ) -> None:
        """See pyHanko."""
        del handler, container_ref
        self.start = stream.tell()
        stream.write(self._content)


class _PureHandler:
    """A security handler that encrypts the same object to the same bytes every time."""

    def __init__(self, handler: SecurityHandler | None, secret: bytes) -> None:
        assert handler is not None
        self._handler = handler
        self._secret = secret
        self._object = 0
        self._count = 0
        self.crypt_filter_config = handler.crypt_filter_config

    def enter(self, number: int) -> None:
        """What follows belongs to this object."""
        self._object, self._count = number, 0

    def get_string_filter(self) -> "_PureFilter":
        """See pyHanko."""
        return _PureFilter(self._handler.get_string_filter(), self)

    def get_stream_filter(self, name: str | None = None) -> "_PureFilter":
        """See pyHanko."""
        return _PureFilter(self._handler.get_stream_filter(name), self)

    def vector(self, plain: bytes, size: int) -> bytes:
        """As unpredictable as chance to whoever lacks the document, and never the same for other content."""
        self._count += 1
        about = b"%d.%d." % (self._object, self._count) + plain
        return hmac.digest(self._secret, about, "sha256")[:size]


@dataclass(frozen=True, slots=True)
class _PureFilter:
    """A crypt filter whose vectors come from :class:`_PureHandler`."""

    inner: CryptFilter
    handler: _PureHandler

    def derive_object_key(self, number: int, generation: int) -> bytes:
        """See pyHanko."""
        key: bytes = self.inner.derive_object_key(number, generation)
        return key

    def encrypt(self, key: bytes, plain: bytes, params: Any = None) -> bytes:
        """See pyHanko. Raises :class:`EncryptionNotSupported` for a filter that is not known."""
        del params
        match self.inner:
            case AESCryptFilterMixin():
                vector = self.handler.vector(plain, 16)
                padder = padding.PKCS7(128).padder()
                encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
                padded = padder.update(plain) + padder.finalize()
                return vector + encryptor.update(padded) + encryptor.finalize()
            case AESGCMCryptFilterMixin():
                vector = self.handler.vector(plain, 12)
                return vector + AESGCM(key).encrypt(vector, plain, None)
            case RC4CryptFilterMixin():
                return bytes(self.inner.encrypt(key, plain))
            case _ if self.inner.method == "/None":
                return plain
        raise EncryptionNotSupported
