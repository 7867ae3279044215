"""Dockerfile, as far as it can be checked without an engine that builds it."""

import json
import os
import re
import signal
import subprocess
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from tests.conftest import REPOSITORY

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
GUICHET = """#!/bin/sh
echo "$1 $$" >>said
[ "$1" = run ] && exit 0
[ -e patient ] || exit 2
trap 'echo stopped >>said; exit 1' TERM
sleep 60 &
wait $!
"""


def command(name: str) -> list[str]:
    """The arguments of the last instruction of that name."""
    found: list[str] = json.loads(re.findall(rf"^{name}\b.*?(\[.*\])$", DOCKERFILE, re.MULTILINE)[-1])
    return found


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with a `guichet` that notes how it is called; it indexes until told to stop where `patient` lies."""
    (tmp_path / "guichet").write_text(GUICHET, encoding="utf-8")
    (tmp_path / "guichet").chmod(0o700)
    return tmp_path


def start(machine: Path) -> subprocess.Popen[bytes]:
    arguments = command("CMD")
    return subprocess.Popen(arguments, cwd=machine, env=os.environ | {"PATH": f"{machine}:{os.environ['PATH']}"})


def said(machine: Path) -> list[str]:
    file = machine / "said"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def test_the_bot_takes_the_place_of_what_started_it_whatever_became_of_the_index(machine: Path) -> None:
    process = start(machine)
    assert process.wait(20) == 0
    assert [line.split()[0] for line in said(machine)] == ["index", "run"]
    assert said(machine)[1] == f"run {process.pid}"  # so that it gets the signal to stop


def test_the_signal_to_stop_reaches_the_first_index(machine: Path) -> None:
    (machine / "patient").touch()
    process = start(machine)
    until = time.monotonic() + 20
    while not said(machine) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.3)  # until it heeds the signal
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 128 + signal.SIGTERM
    assert [line.split()[0] for line in said(machine)] == ["index", "stopped"]


def in_compose() -> list[str]:
    """The health check of compose.yaml, which knows the port."""
    composed = yaml.safe_load((REPOSITORY / "compose.yaml").read_text(encoding="utf-8"))
    test: list[str] = composed["services"]["worker"]["healthcheck"]["test"]
    return test[1:]


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
@pytest.mark.parametrize("check", [command("HEALTHCHECK"), in_compose()], ids=["image", "compose"])
def test_the_health_check_asks_the_bot(check: list[str], status: int, code: int) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        around = os.environ | {"GUICHET_HEALTH_PORT": str(server.server_port), "http_proxy": "http://127.0.0.1:1"}
        asked = [argument.replace("9090", str(server.server_port)) for argument in check]
        done = subprocess.run(asked, env=around, timeout=30, check=False)
        server.shutdown()
        thread.join()
    assert done.returncode == code
    assert "GUICHET_HEALTH_PORT=" in DOCKERFILE
