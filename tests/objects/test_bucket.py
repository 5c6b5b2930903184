import pytest

from meterai.objects.bucket import BucketObjects
from meterai.objects.errors import ObjectMissing


async def test_a_bucket_keeps_reads_lists_and_deletes() -> None:
    objects = BucketObjects("memory://")
    await objects.put("stamped/a.pdf", b"content")
    assert await objects.get("stamped/a.pdf") == b"content"
    assert [name async for name in objects.older_than(-60)] == ["stamped/a.pdf"]
    assert [name async for name in objects.older_than(3600)] == []
    await objects.delete("stamped/a.pdf")
    await objects.delete("stamped/a.pdf")
    with pytest.raises(ObjectMissing):
        await objects.get("stamped/a.pdf")
