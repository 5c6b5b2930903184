import hashlib
import os
import signal
import subprocess
import sys

import httpx
import pytest

from meterai.cli.ports import free_port
from meterai.signing.time_stamps import Authority, TimeStamps
from world import pki


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_the_process_answers_and_ends_when_it_is_told(how: signal.Signals) -> None:
    port = free_port()
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    module = "meterai.proving.simulators.time_stamps"
    process = subprocess.Popen(
        [sys.executable, "-m", module, str(pki.keys_folder()), str(port)], env=environment
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        transport = httpx.AsyncHTTPTransport(retries=8)  # it needs a moment to begin
        async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=20) as client:
            pinned = [pki.stamper().key.chain[0]]
            stamps = TimeStamps(client, [Authority(url)], pinned)
            await stamps.stamp(hashlib.sha256(b"x").digest())
            assert (await client.get(url + "lain")).status_code == 404
            assert (await client.post(url, content=b"x" * 5000)).status_code == 200
        process.send_signal(how)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()
