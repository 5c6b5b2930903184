import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from meterai.db import cluster as cluster_of_root
from meterai.db.cluster import Cluster, find_programs, socket_folder
from meterai.db.errors import NoPostgres, OtherVersion


async def test_it_is_made_started_stopped_and_started_again(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "pg")
    await cluster.start()
    connection = await asyncpg.connect(cluster.dsn)
    assert await connection.fetchval("show fsync") == "on"
    await connection.execute("create table kept (n int)")
    await connection.close()
    await cluster.stop()
    assert cluster.pid is None
    await cluster.start()
    connection = await asyncpg.connect(cluster.dsn)
    assert await connection.fetchval("select count(*) from kept") == 0
    await connection.close()
    await cluster.stop()


async def test_a_living_orphan_is_adopted(tmp_path: Path) -> None:
    first = Cluster(tmp_path / "pg")
    await first.start()
    second = Cluster(tmp_path / "pg")
    pid = second.pid
    await second.start()
    assert second.pid == pid
    await second.stop()
    await first.stop()


async def test_it_comes_back_after_kill_9(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "pg")
    await cluster.start()
    connection = await asyncpg.connect(cluster.dsn)
    await connection.execute("create table kept as select 7 as n")
    pid = cluster.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    connection.terminate()
    assert cluster._process is not None
    await asyncio.to_thread(cluster._process.wait)  # who started it must see it die
    again = Cluster(tmp_path / "pg")
    await again.start()
    connection = await asyncpg.connect(again.dsn)
    assert await connection.fetchval("select n from kept") == 7
    await connection.close()
    await again.stop()
    await cluster.stop()


async def test_nobody_else_may_enter_its_folders(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "pg")
    await cluster.start()
    for folder in (cluster.data, socket_folder(cluster.folder)):
        assert folder.stat().st_mode & 0o077 == 0
    await cluster.stop()


async def test_data_of_another_major_version_is_refused_with_the_way_out(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "pg")
    cluster.data.mkdir(parents=True)
    (cluster.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(OtherVersion) as refused:
        await cluster.start()
    assert "pg_dumpall" in refused.value.advice("en")


def test_a_deep_folder_gets_a_short_socket_path(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 60) / ("y" * 60)
    assert len(os.fsencode(socket_folder(deep))) <= 90
    assert socket_folder(deep) == socket_folder(deep)
    assert socket_folder(deep) != socket_folder(deep / "other")


def test_a_folder_without_programs_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NoPostgres):
        find_programs(tmp_path)
    assert find_programs().major >= 15


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must not run PostgreSQL itself")
async def test_root_in_a_container_without_namespaces_keeps_it_behind_closed_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in /root: nobody else may pass through, and containers mostly forbid namespaces."""
    works = cluster_of_root._works
    monkeypatch.setattr(
        cluster_of_root, "_works", lambda command: command[0] != "unshare" and works(command)
    )
    closed = tmp_path / "root"
    closed.mkdir(mode=0o700)
    cluster = Cluster(closed / "pg")
    await cluster.start()
    assert cluster.pid is not None
    status = await asyncio.to_thread(Path(f"/proc/{cluster.pid}/status").read_text)
    assert "Uid:\t0" not in status
    dac_override_alone = "CapEff:\t0000000000000002"
    assert dac_override_alone in status
    connection = await asyncpg.connect(cluster.dsn)
    assert await connection.fetchval("select 1") == 1
    await connection.close()
    await cluster.stop()
