"""The roads a document can take to its increment, and why it does not take the fast one.

The fast road reads raw byte spans and writes by hand, and gives way at the first thing that is out of the
ordinary; the careful road is a whole PDF library. Both give the same visible result.
"""

from enum import Enum


class Road(Enum):
    """How the bytes of a stamped document came about."""

    FAST = "fast"
    """Only the objects needed were read, and one section was written by hand."""
    CAREFUL = "careful"
    """Through pyHanko's reader and writer."""
    REPAIR = "repair"
    """Its structure was rewritten by qpdf when it came in, with the person's knowledge; then stamped."""


class Oddity(Enum):
    """Why a document is not for the fast road. Internal: nobody is told, and nothing is refused for it."""

    HEADER = "header"
    """It does not begin with a header."""
    END = "end"
    """``startxref`` is missing or far from the end."""
    SYNTAX = "syntax"
    """A token is not what stands there in an ordinary file."""
    DOUBLE_KEY = "double_key"
    """A dictionary has a key twice; readers disagree about which one counts."""
    ESCAPED_NAME = "escaped_name"
    """A key is written with ``#``, so that two spellings can be one name."""
    DEEP = "deep"
    """More levels or objects than an ordinary file has."""
    INFLATES = "inflates"
    """A stream of cross-references or objects unpacks to too much."""
    FILTER = "filter"
    """Packed or predicted in a way that is rare for such streams."""
    CROSS_REFERENCES = "cross_references"
    """A section of cross-references is damaged, or the chain of them is."""
    SIZE = "size"
    """``/Size`` is missing, or smaller than what is in use."""
    OBJECT = "object"
    """An object does not stand where the cross-references say."""
    ENCRYPTED = "encrypted"
    SIGNED = "signed"
    """A signature is in it, or permissions are."""
    XFA = "xfa"
    FORM = "form"
    """The form is laid out in an unusual way."""
    PAGES = "pages"
    """The page tree is not plain: wrong counts, a page at two places, boxes that are no boxes."""
    REQUEST = "request"
    """What is asked for needs care: an approval, or text outside ASCII."""
    PLACE = "place"
    """The place collides with something; the careful road says with what."""
    REFUSED = "refused"
    """What is asked for makes no sense here; the careful road says why."""
    STUMBLED = "stumbled"
    """The reader raised what nobody foresaw."""


class Unusual(Exception):
    """The document or the request is for the careful road."""

    def __init__(self, oddity: Oddity) -> None:
        self.oddity = oddity
        super().__init__(oddity.value)
