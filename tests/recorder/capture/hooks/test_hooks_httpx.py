"""The httpx transports: what passes is what is recorded, and errors pass too."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from recorder.capture.hooks import Recorder, SessionEnded
from recorder.errors import StoreError
from recorder.events import Event
from recorder.heads import RequestHead, ResponseHead
from recorder.recording import Recording
from recorder.store import open_store
from recorder.verify import verify

KEY = "sk-proj-4XmR9vTq2LwZ7sKd1BnY"
SECRET = "ek_68af3c21d7e94b50a1f2c3d4e5"


class _Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["content-length"]))
        if self.path.endswith("/client_secrets"):
            self._answer(200, json.dumps({"value": SECRET, "expires_at": 1}).encode())
        elif self.path.endswith("/calls"):
            self._answer(201, b"v=0\r\n", location="/v1/realtime/calls/rtc_u0_abc")
        else:
            self._answer(200, sent)

    def do_GET(self) -> None:
        if self.path == "/packed":
            self._answer(200, gzip.compress(b'{"said": "hello"}'), content_encoding="gzip")
        elif self.path == "/foreign":
            self._answer(200, b"\x00\x01", content_encoding="br")
        elif self.path == "/stream":
            self.send_response(200)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for piece in (b"data: one\n\n", b"data: two\n\n"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfour")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'tapes.db'}"


def _tapes(url: str) -> list[tuple[str | None, list[Event]]]:
    """External id and events of each session, all of them verified."""
    with closing(open_store(url, create=False, readonly=True)) as store:
        rows = store.sessions()
        assert [verify(store, row).fault for row in rows] == [None] * len(rows)
        assert {row.origin for row in rows} <= {"hook"}
        assert {row.status for row in rows} <= {"complete"}
        return [(row.external_id, list(Recording(store, row.id).events())) for row in rows]


def _outline(events: list[Event]) -> list[tuple[str, str, str, bytes]]:
    return [
        (event.sender, event.kind, event.type, b"" if "http.re" in event.kind else event.body)
        for event in events
    ]


def test_an_exchange_is_recorded_as_the_proxy_would(url: str, provider: str) -> None:
    with (
        Recorder(url, trial="hooks") as recorder,
        httpx.Client(transport=recorder.httpx_transport()) as client,
    ):
        answer = client.post(f"{provider}/echo?a=1&b=%20", content=b'{"x": 1}')
        assert answer.content == b'{"x": 1}'
    [(_, events)] = _tapes(url)
    name = "POST /echo"
    assert _outline(events) == [
        ("client", "http.request", name, b""),
        ("client", "http.chunk", name, b'{"x": 1}'),
        ("client", "http.chunk", name, b""),
        ("provider", "http.response", "200", b""),
        ("provider", "http.chunk", name, b'{"x": 1}'),
        ("provider", "http.chunk", name, b""),
    ]
    asked = RequestHead.decode(events[0].body)
    assert (asked.method, asked.path, asked.query) == ("POST", "/echo", "a=1&b=%20")
    assert ("Content-Length", "8") in asked.headers
    assert ResponseHead.decode(events[3].body).reason == "OK"


def test_secrets_do_not_reach_the_disk(tmp_path: Path, url: str, provider: str) -> None:
    with (
        Recorder(url) as recorder,
        httpx.Client(transport=recorder.httpx_transport()) as client,
    ):
        answer = client.post(
            f"{provider}/v1/realtime/client_secrets",
            headers={"authorization": f"Bearer {KEY}"},
            json={"session": {"type": "realtime"}},
        )
        assert answer.json()["value"] == SECRET
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert KEY.encode() not in stored
    assert SECRET.encode() not in stored
    [(_, events)] = _tapes(url)
    assert b"[redacted:" in events[0].body
    assert b"[redacted:" in events[4].body


def test_a_stream_is_recorded_in_the_pieces_that_passed(url: str, provider: str) -> None:
    with (
        Recorder(url) as recorder,
        httpx.Client(transport=recorder.httpx_transport()) as client,
        client.stream("GET", f"{provider}/stream") as answer,
    ):
        pieces = list(answer.iter_raw())
    [(_, events)] = _tapes(url)
    assert [event.kind for event in events[:2]] == ["http.request", "http.response"]
    assert [event.body for event in events[2:]] == [*pieces, b""]
    assert b"".join(pieces) == b"data: one\n\ndata: two\n\n"


def test_a_packed_body_is_recorded_unpacked(url: str, provider: str) -> None:
    with (
        Recorder(url) as recorder,
        httpx.Client(transport=recorder.httpx_transport()) as client,
    ):
        assert client.get(f"{provider}/packed").json() == {"said": "hello"}
    [(_, events)] = _tapes(url)
    assert events[2].body == b'{"said": "hello"}'


def test_a_coding_that_cannot_be_read_is_not_asked_for_nor_stored(url: str, provider: str) -> None:
    asked = []

    class Spy(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            asked.append(request.headers["accept-encoding"])
            return super().handle_request(request)

    with Recorder(url) as recorder:
        transport = recorder.httpx_transport(Spy())
        with (
            httpx.Client(transport=transport) as client,
            client.stream(
                "GET", f"{provider}/foreign", headers={"accept-encoding": "br, gzip;q=0.5"}
            ) as answer,
        ):
            assert b"".join(answer.iter_raw()) == b"\x00\x01"
    [(_, events)] = _tapes(url)
    assert asked == ["gzip;q=0.5"]
    assert events[2].body == b"[a body in a coding that cannot be read is not stored]"


def test_a_call_names_the_session_it_is_made_in(url: str, provider: str) -> None:
    with (
        Recorder(url) as recorder,
        recorder.session() as session,
        httpx.Client(transport=session.httpx_transport()) as client,
    ):
        client.post(f"{provider}/v1/realtime/calls", content=b"v=0\r\n")
    assert [external_id for external_id, _ in _tapes(url)] == ["rtc_u0_abc"]


def test_an_unreachable_host_is_noted_and_raised(url: str) -> None:
    with (
        Recorder(url) as recorder,
        httpx.Client(transport=recorder.httpx_transport()) as client,
        pytest.raises(httpx.ConnectError),
    ):
        client.get("http://127.0.0.1:9/nothing")
    [(_, events)] = _tapes(url)
    assert [(event.kind, event.type) for event in events[1:]] == [("note", "unreachable")]
    assert json.loads(events[1].body)["message"].startswith("ConnectError: ")


def test_a_timeout_is_noted_and_raised(url: str) -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("no answer in 1 s", request=request)

    with (
        Recorder(url) as recorder,
        httpx.Client(transport=recorder.httpx_transport(httpx.MockTransport(slow))) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.get("http://provider.test/")
    [(_, events)] = _tapes(url)
    assert json.loads(events[-1].body) == {"message": "ReadTimeout: no answer in 1 s"}


def test_an_answer_that_breaks_off_is_noted_and_raised(url: str, provider: str) -> None:
    with (
        Recorder(url) as recorder,
        httpx.Client(transport=recorder.httpx_transport()) as client,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        client.get(f"{provider}/broken")
    [(_, events)] = _tapes(url)
    assert [(event.kind, event.type) for event in events[-2:]] == [
        ("http.response", "200"),
        ("note", "broken"),
    ]


def test_an_answer_that_is_not_read_to_its_end_is_noted(url: str, provider: str) -> None:
    with (
        Recorder(url) as recorder,
        httpx.Client(transport=recorder.httpx_transport()) as client,
        client.stream("GET", f"{provider}/stream"),
    ):
        pass
    [(_, events)] = _tapes(url)
    assert json.loads(events[-1].body) == {"message": "the answer was closed before its end"}


async def test_the_asynchronous_client(url: str, provider: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    with Recorder(url) as recorder:
        transport = recorder.async_httpx_transport()
        async with httpx.AsyncClient(transport=transport) as client:
            answer = await client.post(
                f"{provider}/echo", content=pieces(), headers={"content-length": "6"}
            )
            assert answer.content == b"onetwo"
            async with client.stream("GET", f"{provider}/stream") as streamed:
                got = [piece async for piece in streamed.aiter_raw()]
            with pytest.raises(httpx.ConnectError):
                await client.get("http://127.0.0.1:9/")
    [(_, events)] = _tapes(url)
    by_channel = [[event for event in events if event.channel == n] for n in (1, 2, 3)]
    assert [event.body for event in by_channel[0] if event.kind == "http.chunk"] == [
        b"onetwo",
        b"",
        b"onetwo",
        b"",
    ]
    assert [event.body for event in by_channel[1][2:]] == [*got, b""]
    assert [event.type for event in by_channel[2]] == ["GET /", "unreachable"]


def test_openai_python_over_the_hook(url: str, provider: str) -> None:
    openai = pytest.importorskip("openai")
    with (
        Recorder(url) as recorder,
        httpx.Client(transport=recorder.httpx_transport()) as http_client,
    ):
        client = openai.OpenAI(api_key=KEY, base_url=f"{provider}/v1", http_client=http_client)
        secret = client.realtime.client_secrets.create()
        assert secret.value == SECRET
    [(_, events)] = _tapes(url)
    assert events[0].type == "POST /v1/realtime/client_secrets"
    assert not any(KEY.encode() in event.body for event in events)


def test_what_cannot_be_stored_is_not_passed_on(
    url: str, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        pytest.raises(StoreError, match="the disk is full"),  # told again at the end
        Recorder(url) as recorder,
        httpx.Client(transport=recorder.httpx_transport()) as client,
    ):
        client.post(f"{provider}/echo", content=b"stored")
        recorder.flush()

        def refuse(batch: object) -> None:
            raise StoreError("tapes.db: the disk is full: free some space")

        with monkeypatch.context() as broken:
            broken.setattr(recorder._store, "commit", refuse)
            with suppress(StoreError):  # the failure may show at once
                client.post(f"{provider}/echo", content=b"lost")
            with pytest.raises(StoreError, match="the disk is full"):
                recorder.flush()
            with pytest.raises(StoreError, match="the disk is full"):
                client.post(f"{provider}/echo", content=b"not sent")
    with closing(open_store(url, create=False, readonly=True)) as store:
        [row] = store.sessions()
        assert row.status == "incomplete"


def test_a_session_that_has_ended_records_no_more(url: str) -> None:
    mock = httpx.MockTransport(lambda request: httpx.Response(204))
    with Recorder(url) as recorder:
        with recorder.session() as session:
            client = httpx.Client(transport=session.httpx_transport(mock))
            assert client.get("http://provider.test/").status_code == 204
        with pytest.raises(SessionEnded, match="has ended"):
            client.get("http://provider.test/")
        late = httpx.Client(transport=recorder.httpx_transport(mock))
    with pytest.raises(SessionEnded, match="closed"):
        late.get("http://provider.test/")
    assert len(_tapes(url)) == 1
