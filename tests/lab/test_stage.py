"""The lab's zone, and what happens to a whole lab whose parts are ended or refused."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.example_site import INTERNET, TEXT
from tests.family import Watch, children

from trunkline.aio.run import run
from trunkline.call.party import Behaviour
from trunkline.lab.names import Record
from trunkline.lab.processes import Child, LabError
from trunkline.lab.stage import Lab, zone_of
from trunkline.site.load import load
from trunkline.site.model import Site

WITHIN = 60.0  # seconds; no test needs them unless something is broken


def example() -> Site:
    site = load(TEXT, "site.yaml").site
    assert site is not None
    return site


def play(scene: Callable[[Lab], Coroutine[Any, Any, None]], phones: int = 2) -> list[str]:
    """Run a scene in a lab of its own; what its processes logged."""
    logged: list[str] = []

    async def whole() -> None:
        async with (
            asyncio.timeout(WITHIN),
            Lab(example(), phones=phones, log=lambda _, line: logged.append(line)) as lab,
        ):
            await scene(lab)

    run(whole())
    return logged


def test_the_zone_is_the_smallest_that_holds_the_carriers_names() -> None:
    origin, records = zone_of(
        {"sbc1.carrier.example": ("127.1.1.20", 5060), "a.sbc2.carrier.example": ("127.1.1.30", 5070)}
    )
    assert origin == "carrier.example."
    assert Record("sbc1.carrier.example.", "A", "127.1.1.20") in records
    assert Record("_sip._udp.a.sbc2.carrier.example.", "SRV", "10 0 5070 a.sbc2.carrier.example.") in records


def test_names_without_a_common_zone_share_the_root() -> None:
    assert zone_of({"sbc.one.example": ("127.1.1.20", 5060), "sbc.two.test": ("127.1.1.30", 5060)})[0] == "."


def test_everything_of_a_lab_is_up_when_it_is_entered_and_gone_when_it_is_left() -> None:
    kept: list[Path] = []
    pids: list[int] = []

    async def scene(lab: Lab) -> None:
        status = await lab.ipbx.ask("status")
        assert [gateway["health"] for gateway in status["gateways"]] == ["up", "up"]
        assert [entry["extension"] for entry in status["registrations"]] == ["201", "202"]
        kept.extend([lab.folder, lab.ipbx.socket, *(sbc.socket for sbc in lab.sbcs.values())])
        assert all(path.exists() for path in kept)
        assert lab.file.stat().st_mode & 0o777 == 0o600  # the phones' passwords stand in it
        pids.extend([lab.ipbx.pid, *(sbc.pid for sbc in lab.sbcs.values())])

    play(scene)
    assert not any(path.exists() for path in kept)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)


def test_a_stopped_ipbx_hangs_up_the_calls_it_has() -> None:
    async def scene(lab: Lab) -> None:
        phone = lab.phones[0]
        call = phone.call("00199009001", Behaviour(tone=700, listen=(425,)))
        assert await phone.node.until(lambda: 425 in call.heard, 5.0)
        await lab.ipbx.end()
        assert await phone.node.until(lambda: call.gone, 5.0)
        assert call.cause is not None
        assert (call.ended_by, call.cause.q850) == ("remote", 41)  # temporary failure: it is stopping
        assert not (await lab.sbcs["nominal"].ask("status"))["calls"]

    play(scene)


def test_a_reloaded_file_rules_new_calls_and_leaves_the_running_one_alone() -> None:
    async def scene(lab: Lab) -> None:
        one, other = lab.phones
        call = one.call("00199009001", Behaviour(tone=700, listen=(425,)))
        assert await one.node.until(lambda: 425 in call.heard, 5.0)
        text = lab.file.read_text("utf-8")
        lab.file.write_text(text.replace('"outside_prefix": "0"', '"outside_prefix": "9"'), "utf-8")
        lab.ipbx.hang_up()
        assert await lab.ipbx.until(lambda status: status["reloads"] == 1, 5.0)
        old = other.call("00199009001", Behaviour())
        assert await other.node.until(lambda: old.cause is not None, 5.0)
        new = other.call("90199009001", Behaviour(tone=620, listen=(425,)))
        assert await other.node.until(lambda: 425 in new.heard, 5.0)
        one.listen(call, (425,))
        assert await one.node.until(lambda: 425 in call.heard, 5.0)
        assert call.ended_at is None

    assert any("reloaded; new calls take it" in line for line in play(scene))


def test_a_bad_file_keeps_the_old_one_and_says_why_in_a_line_an_error() -> None:
    async def scene(lab: Lab) -> None:
        text = lab.file.read_text("utf-8")
        lab.file.write_text(
            text.replace('"channels": 12', '"chanels": 12').replace('"udp": 5060', '"udp": 99999')
        )
        answer = await lab.ipbx.ask("reload")
        assert not answer["reloaded"]
        phone = lab.phones[0]
        call = phone.call("00199009001", Behaviour(tone=700, listen=(425,)))
        assert await phone.node.until(lambda: 425 in call.heard, 5.0)

    told = [line for line in play(scene) if "site file not reloaded" in line]
    assert any("trunk.chanels: unknown key; did you mean channels?" in line for line in told)
    assert any("trunk.listen.udp" in line and "99999" in line for line in told)
    assert all(" error: site file not reloaded: " in line for line in told)


def test_a_process_that_cannot_start_says_why(tmp_path: Path) -> None:
    async def whole() -> None:
        await Child(
            "IPBX", ["run", str(tmp_path / "none.yaml")], tmp_path / "s.sock", lambda *_: None
        ).start()

    with pytest.raises(
        LabError, match=r"IPBX did not start: .*none\.yaml:1:1: MUST the file cannot be opened"
    ):
        run(whole())


def test_a_question_to_a_dead_process_is_an_error_in_words(tmp_path: Path) -> None:
    async def whole() -> None:
        await Child("nominal", [], tmp_path / "none.sock", lambda *_: None).ask("status")

    with pytest.raises(LabError, match="nominal does not answer"):
        run(whole())


# --- over the internet --------------------------------------------------------------------------


def secured(scene: Callable[[Lab], Coroutine[Any, Any, None]], keylog: Path | None = None) -> None:
    """Run a scene in a lab of the secured example, with one phone."""
    site = load(INTERNET.read_text("utf-8"), "site.yaml").site
    assert site is not None

    async def whole() -> None:
        async with asyncio.timeout(WITHIN), Lab(site, phones=1, keylog=keylog) as lab:
            await scene(lab)

    run(whole())


def test_an_sbc_whose_signalling_is_stopped_goes_on_with_its_media() -> None:
    async def scene(lab: Lab) -> None:
        (phone,) = lab.phones
        call = phone.call("00199009002", Behaviour(tone=700, listen=(700, 930)))  # an echo
        assert await phone.node.until(lambda: 700 in call.heard, 5.0)
        lab.sbcs["nominal"].freeze()
        phone.listen(call, (700, 930))
        phone.play(call, 930)
        assert await phone.node.until(lambda: 930 in call.heard, 5.0)  # there and back
        lab.sbcs["nominal"].thaw()
        phone.hang_up(call)
        assert await phone.node.until(lambda: call.gone and call.report is not None, 5.0)
        assert not call.silent

    secured(scene)


def test_a_killed_sbc_takes_its_media_workers_along() -> None:
    async def scene(lab: Lab) -> None:
        (phone,) = lab.phones
        call = phone.call("00199009001", Behaviour(tone=700, listen=(425,)))
        assert await phone.node.until(lambda: 425 in call.heard, 5.0)
        nominal = lab.sbcs["nominal"]
        workers = children(nominal.pid)
        assert workers
        watch = Watch(workers)
        await nominal.kill()
        assert watch.ended(1.0)
        assert await phone.node.until(lambda: call.gone, 10.0)
        assert call.silent
        assert call.cause is not None
        assert call.cause.q850 == 41

    secured(scene)


def test_the_keys_of_all_connections_are_logged_where_that_is_asked_for(tmp_path: Path) -> None:
    keys = tmp_path / "keys"

    async def scene(lab: Lab) -> None:
        assert keys.stat().st_mode & 0o777 == 0o600
        assert "CLIENT_RANDOM" in keys.read_text("ascii")

    secured(scene, keys)
