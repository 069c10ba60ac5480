"""The gateway: how a site is chosen, conditional requests, loopback only, a clean end."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sandbox.server import Gateway, serve
from tests.sandbox.conftest import get

ROOT = Path(__file__).resolve().parents[2]
PAGE = "https://www.lanhe.example/zwgk/zfxxgkml/fzzfjs/"
SERVICE = "http://www.tingzhi.example/TrueCMS/messageController/getMessage.do"
COLUMN = "columnId=7d3a1c52-4be6-4f0a-9a57-0c1d2e3f4a5b"


def test_answers_304_to_its_own_validators(day_1: Gateway) -> None:
    first = get(day_1, PAGE)
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    assert first.status == 200
    for headers in (
        {"If_None_Match": etag},
        {"If_None_Match": f'"other", W/{etag}'},
        {"If_None_Match": "*"},
        {"If_Modified_Since": modified},
        {"If_Modified_Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
        {"If_None_Match": etag, "If_Modified_Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
    ):
        again = get(day_1, PAGE, **headers)
        assert (again.status, again.body) == (304, b""), headers
        assert again.headers["etag"] == etag


def test_sends_the_page_when_the_validators_do_not_match(day_1: Gateway) -> None:
    first = get(day_1, PAGE)
    for headers in (
        {"If_None_Match": '"other"'},
        {"If_Modified_Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
        {"If_Modified_Since": "yesterday"},
        # If-None-Match decides alone (RFC 9110, 13.1.3)
        {"If_None_Match": '"other"', "If_Modified_Since": first.headers["last-modified"]},
    ):
        again = get(day_1, PAGE, **headers)
        assert (again.status, again.body) == (200, first.body), headers


def test_head_has_the_headers_of_get(day_1: Gateway) -> None:
    head, full = get(day_1, PAGE, method="HEAD"), get(day_1, PAGE)
    assert head.body == b""
    assert head.headers["content-length"] == str(len(full.body))


def test_one_connection_carries_many_requests(day_1: Gateway) -> None:
    connection = http.client.HTTPConnection(urlsplit(day_1.url).netloc, timeout=10)
    sockets = set()
    for path in ("/robots.txt", "/nowhere", "/", "/robots.txt"):
        connection.request("GET", path, body=b"x" * 10, headers={"Host": "www.yanpu.example"})
        response = connection.getresponse()
        body = response.read()
        sockets.add(id(connection.sock))
        assert response.status == (404 if path == "/nowhere" else 200)
    assert body == b"User-agent: *\nDisallow: /cms/admin/\n"
    assert len(sockets) == 1
    connection.close()


def test_host_is_read_without_case_and_port(day_1: Gateway) -> None:
    page = get(day_1, PAGE)
    assert get(day_1, PAGE.replace("www.lanhe.example", "WWW.Lanhe.example:80")).body == page.body


def test_a_browser_reads_a_site_under_its_host(day_1: Gateway) -> None:
    assert get(day_1, f"{day_1.url}/www.lanhe.example/zwgk/zfxxgkml/fzzfjs/").body == get(day_1, PAGE).body
    moved = get(day_1, f"{day_1.url}/css/style.css?v=1", Referer=f"{day_1.url}/www.lanhe.example/")
    assert (moved.status, moved.headers["location"]) == (302, "/www.lanhe.example/css/style.css?v=1")
    assert get(day_1, f"{day_1.url}/css/style.css").status == 404


def test_index_lists_the_sites(day_1: Gateway) -> None:
    text = get(day_1, f"{day_1.url}/").body.decode()
    assert len(day_1.hosts) == 5
    for host in day_1.hosts:
        assert f'href="/{host}/"' in text
        assert get(day_1, f"{day_1.url}/{host}/").status == 200


def test_an_absolute_target_names_the_site(day_1: Gateway) -> None:
    address = urlsplit(day_1.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(b"GET http://www.yanpu.example/robots.txt HTTP/1.0\r\n\r\n")
        answer = b""
        while chunk := connection.recv(4096):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 200") and b"/cms/admin/" in answer


@pytest.mark.parametrize("length", ["-1", "many", "99999999"])
def test_refuses_a_body_it_will_not_read(day_1: Gateway, length: str) -> None:
    assert get(day_1, PAGE, Content_Length=length).status == 400


def test_refuses_other_methods(day_1: Gateway) -> None:
    assert get(day_1, PAGE, method="POST").status == 501


def test_message_service_gives_the_rows_asked_for(day_1: Gateway) -> None:
    def rows(query: str) -> tuple[int, str]:
        result = json.loads(get(day_1, f"{SERVICE}?{query}").body)["result"]
        return result.count("<record>"), result

    assert rows(f"{COLUMN}&startrecord=6&endrecord=10&perpage=5")[0] == 5
    assert rows(f"{COLUMN}&startrecord=11&endrecord=15&perpage=5")[0] == 1
    assert rows(f"{COLUMN}&startrecord=16&endrecord=20")[0] == 0
    assert rows(f"{COLUMN}&startrecord=a&endrecord=b")[0] == 0
    assert rows("columnId=another&startrecord=1&endrecord=5")[0] == 0
    assert "<totalrecord>11</totalrecord>" in rows(COLUMN)[1]
    padded = get(day_1, f"{SERVICE}?{COLUMN}&callback=cb(1)").body
    assert padded.startswith(b"cb1({") and padded.endswith(b"})")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "www.lanhe.example", ""])
def test_binds_loopback_only(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"), serve(host=host):
        pass


def test_has_two_days() -> None:
    with pytest.raises(ValueError, match="day 1 and day 2"), serve(day=3):
        pass


def test_closing_ends_kept_alive_connections() -> None:
    with serve() as gateway:
        connection = http.client.HTTPConnection(urlsplit(gateway.url).netloc, timeout=10)
        connection.request("GET", "/")
        connection.getresponse().read()
        started = time.monotonic()
    assert time.monotonic() - started < 2
    assert connection.sock.recv(1) == b""
    connection.close()
    with pytest.raises(OSError):
        socket.create_connection((urlsplit(gateway.url).hostname, urlsplit(gateway.url).port), timeout=2)


def test_a_client_that_goes_away_is_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    with serve() as gateway:
        address = urlsplit(gateway.url)
        connection = socket.create_connection((address.hostname, address.port), timeout=10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close by reset
        connection.sendall(b"GET / HTTP/1.1\r\nHost: www.yanpu.example\r\n\r\n" * 50)
        connection.close()
        assert get(gateway, PAGE).status == 200
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_says_ready_and_stops_on_a_signal(number: signal.Signals) -> None:
    code = "from sandbox.server import run; run(port=0, day=2)"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("ready http://127.0.0.1:")
        assert "day 2: " in line and "www.yanpu.example" in line
        process.send_signal(number)
        assert process.wait(60) == 0
        assert process.stdout.read() == ""
