"""The serial number of a stamp (*nomor seri*): 22 signs, unique for ever.

It is *allotted* (held, no document yet, revocable), *bound* to the SHA-256 of a document, and ends as *affixed*
or *void*. The registry of serials is what verification asks first: cryptography cannot see one serial in
two documents.
"""
