"""`trunkline run` and `status` as processes: what they say, how they end, and with which exit code."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from tests.cli.verbs import PATIENCE, ground

from trunkline.lab.wire import traced


def test_it_says_where_it_can_be_reached_and_drains_at_sigterm() -> None:
    with (
        ground() as here,
        here.running("run", here.file, "--trace", here.folder / "t.pcapng") as (child, told),
    ):
        address = here.site.interfaces.eth0.address
        assert told["event"] == "ready"
        assert told["trunk"] == {"UDP": f"{address}:5060", "TCP": f"{address}:5060"}
        assert told["phones"] == {"UDP": f"{address}:5059", "TCP": f"{address}:5059"}
        assert Path(told["socket"]).stat().st_mode & 0o777 == 0o600
        child.send_signal(signal.SIGTERM)
        out, _ = child.communicate(timeout=PATIENCE)
        assert json.loads(out) == {"event": "stopped", "drained": True, "calls_left": 0}
        assert child.returncode == 0
        assert not Path(told["socket"]).exists()
        assert all(one.message.start for one in traced(here.folder / "t.pcapng"))


def test_without_json_it_says_so_in_words() -> None:
    with ground() as here:
        child = here.start("run", here.file)  # its pipes are closed by communicate()
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(4)]
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=PATIENCE)
    assert said[0] == "ready: Exemple SARL, Rennes\n"
    assert f"UDP and TCP {here.site.interfaces.eth0.address}:5060  (nominal, backup; 12 channels)" in said[2]
    assert out == "stopped: no call is left\n"
    assert child.returncode == 0


def test_status_shows_gateways_and_why_one_is_down() -> None:
    with ground() as here, here.running("run", here.file):
        code, out, err = here.run("status", here.file, "--json")
        assert (code, err) == (0, "")
        status = json.loads(out)
        assert [gateway["label"] for gateway in status["gateways"]] == ["nominal", "backup"]
        assert (status["channels"]["bound"], status["channels"]["used"]) == (12, 0)
        code, out, _ = here.run("status")  # the only one that runs
        assert code == 0
        assert out.startswith("Exemple SARL, Rennes  running for ")
        assert "\x1b" not in out


@pytest.mark.parametrize("words", [("status",), ("status", "site.yaml"), ("status", "--socket", "none.sock")])
def test_status_of_nobody_is_one_line_and_exit_1(words: tuple[str, ...]) -> None:
    with ground() as here:
        code, out, err = here.run(*words)
    assert (code, out, err.count("\n")) == (1, "", 1)


def test_two_of_one_site_do_not_run_at_once() -> None:
    with ground() as here, here.running("run", here.file):
        code, out, err = here.run("run", here.file)
    assert (code, out) == (1, "")
    assert err == f"trunkline: UDP {here.site.interfaces.eth0.address} port 5059: Address already in use\n"


def test_an_address_that_is_not_this_machines_is_told() -> None:
    with ground() as here:
        text = here.file.read_text("utf-8").replace(here.site.interfaces.eth0.address, "192.0.2.10")
        here.file.write_text(text, "utf-8")
        code, _, err = here.run("run", here.file)
    assert code == 1
    assert err.startswith("trunkline: UDP 192.0.2.10 port 5059: ")
    assert "is it an address of this machine?" in err


def test_a_file_that_cannot_be_read_or_has_errors_is_exit_2_with_its_places() -> None:
    with ground() as here:
        assert here.run("run", here.folder / "none.yaml")[0] == 2
        here.file.write_text(here.file.read_text("utf-8").replace('"channels": 12', '"chanels": 12'), "utf-8")
        code, out, err = here.run("run", here.file)
    assert (code, out) == (2, "")
    assert "trunk.chanels: unknown key; did you mean channels?" in err


def test_a_password_that_cannot_be_fetched_is_exit_2() -> None:
    with ground() as here:
        text = here.file.read_text("utf-8").replace('"secret 201"', '"${file:none}"')
        here.file.write_text(text, "utf-8")
        code, _, err = here.run("run", here.file)
    assert code == 2
    assert "the file none cannot be read" in err


def test_a_process_of_a_lab_ends_when_the_lab_does() -> None:
    with ground() as here, here.running("run", here.file, "--while-stdin") as (child, _):
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(timeout=PATIENCE) == 0


def test_sighup_with_a_bad_file_says_why_and_goes_on() -> None:
    with ground() as here, here.running("run", here.file) as (child, _):
        text = here.file.read_text("utf-8")
        here.file.write_text(text.replace('"channels": 12', '"channels": 0'), "utf-8")
        child.send_signal(signal.SIGHUP)
        assert child.stderr is not None
        line = ""
        while "not reloaded" not in line:
            line = child.stderr.readline()
            assert line
        assert "error: site file not reloaded: " in line
        assert "trunk.channels" in line
        assert json.loads(here.run("status", here.file, "--json")[1])["channels"]["bound"] == 12


def test_records_go_on_in_a_new_file_when_the_old_one_was_moved_away() -> None:
    with ground() as here, here.running("run", here.file) as (child, _):
        records, moved = here.folder / "records.jsonl", here.folder / "records.1.jsonl"
        records.rename(moved)
        child.send_signal(signal.SIGHUP)
        assert child.stderr is not None
        while "reloaded; new calls take it" not in (line := child.stderr.readline()):
            assert line
        assert records.exists()
