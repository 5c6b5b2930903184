"""The part of the sale bench that comes in by the front door: a real server, browsers' requests, pages."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import asyncpg
import httpx

from meterai.audit.reconciler import audit
from meterai.channel import store as channels
from meterai.channel.allocation import issue_units
from meterai.channel.model import Channel, ChannelId
from meterai.cli.ports import free_port
from meterai.clock import now
from meterai.db.cluster import Cluster
from meterai.db.connection import Database
from meterai.db.migration import migrate
from meterai.ids import new_id, new_token
from meterai.money import Units
from meterai.payment.snap import NOTIFY, iso, notice_body, to_sign
from meterai.people import store as people
from meterai.people.signin import digest
from meterai.proving.light_client import LightClient
from meterai.proving.pki import make_pki
from meterai.proving.sale_parts import TOTAL, add_buyers, terms_for
from meterai.sale.model import reference_of
from meterai.settings import Settings
from meterai.signing.messages import MessageKey
from meterai.signing.vault import Vault

SHOP = ChannelId("langsung")
AT_ONCE = 50
REFUSED = "Stok kanal ini sedang habis."


@dataclass(slots=True)
class Seen:
    """What the browsers saw."""

    paid: int = 0
    polite: int = 0
    odd: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


async def buy_over_http(home: Path, cluster: Cluster, orders: int) -> dict[str, object]:
    """So many orders by the pages, a third more buyers than units; what the browsers saw."""
    connection = await asyncpg.connect(cluster.dsn)
    await connection.execute("create database front")
    await connection.close()
    database = await Database.connect(cluster.dsn_of("front"), size_max=2)
    await migrate(database)
    tokens = await _open_shop(database, orders)
    process, url = _start(home, cluster.dsn_of("front"))
    seen = Seen()
    try:
        await _ready(process, url)
        key = MessageKey.load(home / "keys" / "provider.key")
        queue = iter(tokens)
        began = time.perf_counter()

        async def browse() -> None:
            async with LightClient(url) as http:
                for token in queue:
                    await _buy(http, token, key, seen)

        async with asyncio.timeout(600):
            await asyncio.gather(*(browse() for _ in range(AT_ONCE)))
        elapsed = time.perf_counter() - began
        report = await audit(database)
        async with database.reading() as reading:
            sold = await reading.fetchval("select count(*) from purchase where state = 'paid'")
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)
        await database.close()
    seen.seconds.sort()
    return {
        "http_orders": seen.paid,
        "http_sold": sold,
        "http_polite_refusals": seen.polite,
        "http_odd": seen.odd[:5],
        "http_orders_per_s": round(seen.paid / elapsed),
        "http_p99_s": round(seen.seconds[int(len(seen.seconds) * 0.99)], 3),
        "http_audit_clean": report.clean,
    }


async def _open_shop(database: Database, orders: int) -> list[str]:
    buyers = orders + orders // 3
    tokens = [new_token() for _ in range(buyers)]
    async with database.transaction() as connection:
        await channels.open_channel(connection, Channel(SHOP, "Langsung", "distributor", None))
        await channels.set_terms(connection, terms_for(SHOP))
        await issue_units(connection, new_id(), SHOP, Units(orders))
        until = now() + timedelta(hours=1)
        for token, party in zip(tokens, await add_buyers(connection, buyers), strict=True):
            await people.open_session(connection, digest(token), party, until)
    return tokens


def _start(home: Path, dsn: str) -> tuple[subprocess.Popen[bytes], str]:
    make_pki(home / "keys")
    Vault.make_secret(home / "keys" / "secret")
    port = free_port()
    settings = Settings(
        data_dir=home,
        database_url=dsn,
        port=port,
        payment_url="http://127.0.0.1:9",  # nobody asks for a QR code here
        time_stamp_urls=("http://127.0.0.1:9",),
        log_level="warning",
        watcher=os.getpid(),
    )
    env = settings.environment() | {"METERAI_WATCHER": str(os.getpid())}
    with (home / "web.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "meterai", "process", "web"], env=env, stdout=log, stderr=log
        )
    return process, settings.base_url_local


async def _ready(process: subprocess.Popen[bytes], url: str) -> None:
    async with httpx.AsyncClient(timeout=2) as http:
        for _ in range(300):
            if process.poll() is not None:
                break
            try:
                if (await http.get(f"{url}/bantuan")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)
    raise RuntimeError("the web process did not come up")


async def _buy(http: LightClient, token: str, key: MessageKey, seen: Seen) -> None:
    """See the price, order, pay at the bank, look whether it is paid."""
    started = time.perf_counter()
    cookies = {"__Host-sesi": token}
    page = await http.ask("GET", "/kuota", _cookies(cookies))
    for cookie in page.cookies:
        name, _, value = cookie.partition(";")[0].partition("=")
        cookies[name] = value
    form = re.search(r'name="csrf" value="([0-9a-f]+)"', page.text)
    if page.status != 200 or form is None:
        seen.odd.append(f"/kuota {page.status}")
        return
    headers = _cookies(cookies) | {"content-type": "application/x-www-form-urlencoded"}
    answer = await http.ask(
        "POST", "/kuota/beli", headers, urlencode({"csrf": form[1], "keping": "1"}).encode()
    )
    if answer.status == 422 and REFUSED in answer.text and "sold_out" in answer.text:
        seen.polite += 1
        return
    place = answer.headers.get("location", "")
    if answer.status != 303 or not place.startswith("/pesanan/"):
        seen.odd.append(f"/kuota/beli {answer.status}")
        return
    order = UUID(place.removeprefix("/pesanan/"))
    moment = iso(now())
    raw = notice_body(reference_of(order), order.hex, f"R{order.hex[-16:]}", TOTAL, moment)
    signed = {"x-timestamp": moment, "x-signature": key.sign(to_sign("POST", NOTIFY, raw, moment))}
    told = await http.ask("POST", NOTIFY, signed, raw)
    state = await http.ask("GET", f"{place}/keadaan.json", _cookies(cookies))
    if told.status != 200 or json.loads(state.body) != {"state": "paid", "final": True}:
        seen.odd.append(f"{NOTIFY} {told.status}, {state.text[:80]}")
        return
    seen.paid += 1
    seen.seconds.append(time.perf_counter() - started)


def _cookies(cookies: dict[str, str]) -> dict[str, str]:
    """As a browser sends them."""
    return {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
