"""PDF (ISO 32000): looked at, pictured, and marked by an incremental update with a gap for a seal.

A tool that knows no stamp duty. The contract: *document bytes + frozen request → prepared increment with a gap
→ seal → whole bytes*, where everything but the seal is a pure function of document and request.
"""
