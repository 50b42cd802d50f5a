"""Each place where a secret can stand: it goes, and not a byte around it changes."""

from __future__ import annotations

import base64
import functools
import json
from urllib.parse import quote

import pytest

from recorder.heads import Close, RequestHead, ResponseHead
from recorder.redact import (
    Redactor,
    Secrets,
    known_secrets,
    marker,
    redact_text,
)

KNOWN = "corp-Vault/77 pa$$"
SECRETS = Secrets(b"key of this store", (KNOWN, "Zürich-8000-geheim"))
KEY = "sk-proj-Canary0123456789abcdefABCDEF"
EPHEMERAL = "ek_68af296e8e408191a1120ab6383263c2"
ODD = "no shape at all"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx0123456789\n"
    "abcdefghijkl+/=\n-----END RSA PRIVATE KEY-----"
)
AWS = "AKIAIOSFODNN7EXAMPLE"
BASIC = base64.b64encode(b"user:open sesame").decode()

NESTED = functools.reduce(lambda inner, _: json.dumps({"a": inner}), range(9), KEY)

_PARTS = (
    '--b1\r\nContent-Disposition: form-data; name="sdp"\r\nContent-Type: application/sdp\r\n\r\n'
    "v=0\r\na=ice-options:trickle\r\n\r\n"
    '--b1\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n--b1--\r\n'
)


def request(path: str = "/v1/realtime", query: str = "", **headers: str) -> str:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return RequestHead("GET", path, query, pairs).encode().decode()


def response(**headers: str) -> str:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return ResponseHead(201, "Created", pairs).encode().decode()


# id -> kind, body, the secret as it stands in the body, the secret itself
PLACES: dict[str, tuple[str, str, str, str]] = {
    "header authorization": ("ws.open", request(Authorization=f"Bearer {KEY}"), KEY, KEY),
    "header without a scheme": ("ws.open", request(authorization=ODD), ODD, ODD),
    "header basic": ("http.request", request(Authorization=f"Basic {BASIC}"), BASIC, BASIC),
    "header api-key": ("ws.open", request(api_key=ODD), ODD, ODD),
    "header x-api-key": ("http.request", request(x_api_key=ODD), ODD, ODD),
    "header proxy-authorization": ("ws.open", request(Proxy_Authorization=ODD), ODD, ODD),
    "header x-vapi-secret": ("webhook.request", request(X_Vapi_Secret=ODD), ODD, ODD),
    "header cookie": ("ws.open", request(Cookie="a=1; b=2"), "a=1; b=2", "a=1; b=2"),
    "header organization": ("ws.open", request(OpenAI_Organization="org-1"), "org-1", "org-1"),
    "header project": ("ws.open", request(OpenAI_Project="proj_1"), "proj_1", "proj_1"),
    "unknown header": ("ws.open", request(X_Acme_Auth_Token=ODD), ODD, ODD),
    "response header": ("http.response", response(x_session_token=ODD), ODD, ODD),
    "set-cookie": ("http.response", response(Set_Cookie="a=1; x"), "a=1; x", "a=1; x"),
    "location": ("http.response", response(Location=f"/v1/x?api_key={ODD[:2]}"), "no", "no"),
    "sub-protocol": (
        "ws.open",
        request(Sec_WebSocket_Protocol=f"realtime, openai-insecure-api-key.{ODD[:2]}!x, y"),
        "no!x",
        "no!x",
    ),
    "sub-protocol organization": (
        "ws.open",
        request(Sec_WebSocket_Protocol="realtime, openai-organization.org-9"),
        "org-9",
        "org-9",
    ),
    "sub-protocol that was chosen": (
        "ws.open",
        ResponseHead(101, subprotocol="openai-insecure-api-key.abc").encode().decode(),
        "abc",
        "abc",
    ),
    "query": ("ws.open", request(query="model=m&api-key=abc&x=1"), "abc", "abc"),
    "query of an odd name": ("ws.open", request(query="key=abc&model=m"), "abc", "abc"),
    "query authorization": (
        "ws.open",
        request(query="Authorization=Bearer%20a%2Fb%2Bc&model=m"),
        "a%2Fb%2Bc",
        "a/b+c",
    ),
    "query signature": ("ws.open", request(query="X-Amz-Signature=0f0f&a=b"), "0f0f", "0f0f"),
    "query that is percent-encoded": (
        "http.request",
        request(query=f"note={KEY.replace('-', '%2D')}&n=1"),
        KEY.replace("-", "%2D"),
        KEY,
    ),
    "known value, percent-encoded": (
        "http.request",
        request(query=f"note={quote(KNOWN, safe='')}"),
        quote(KNOWN, safe=""),
        KNOWN,
    ),
    "close reason": ("ws.close", Close(3000, f"bad key {KEY}").encode().decode(), KEY, KEY),
    "field": ("ws.text", '{"type":"x", "api_key" : "abc", "n":1e3}', "abc", "abc"),
    "field in camel case": ("ws.text", '{"model":{"apiKey":"abc"}}', "abc", "abc"),
    "field in depth": ("ws.text", '{"a":[{"b":{"client_secret":"abc"}}]}', "abc", "abc"),
    "authorization of a tool": (
        "ws.text",
        '{"session":{"tools":[{"type":"mcp","authorization":"abc"}]}}',
        "abc",
        "abc",
    ),
    "headers of a tool": (
        "ws.text",
        '{"tools":[{"type":"mcp","headers":{"X-Any":"abc"}}]}',
        "abc",
        "abc",
    ),
    "object below a secret's name": (
        "http.chunk",
        '{"client_secret":{"value":"abc","expires_at":17}}',
        "abc",
        "abc",
    ),
    "list of headers": (
        "ws.text",
        '{"sip_headers":[{"name":"X-Auth-Token","value":"abc"},{"name":"Via","value":"v"}]}',
        "abc",
        "abc",
    ),
    "client secret": ("http.chunk", f'{{"value":"{EPHEMERAL}"}}', EPHEMERAL, EPHEMERAL),
    "field name with an escape": ("ws.text", r'{"api\u005fkey":"abc"}', "abc", "abc"),
    "duplicate keys": ("ws.text", '{"a":1,"token":"abc","a":2}', "abc", "abc"),
    "event text": ("ws.text", f'{{"text":"use {KEY}, please"}}', KEY, KEY),
    "event text with escapes": (
        "ws.text",
        '{"text":"a\\n' + KEY.replace("-", "\\u002d") + '\\u00e9"}',
        KEY.replace("-", "\\u002d"),
        KEY,
    ),
    "arguments, JSON in JSON": (
        "ws.text",
        '{"arguments":"{\\"user\\":\\"u\\",\\"password\\":\\"p \\\\\\"q\\"}"}',
        'p \\\\\\"q',
        'p "q',
    ),
    "bearer in text": ("ws.text", '{"text":"a Bearer abcd1234 with it"}', "abcd1234", "abcd1234"),
    "basic in text": ("ws.text", f'{{"text":"send Basic {BASIC} with it"}}', BASIC, BASIC),
    "jwt": ("ws.text", f'{{"text":"({JWT})"}}', JWT, JWT),
    "pem": ("ws.text", json.dumps({"text": f"see {PEM}."}), json.dumps(PEM)[1:-1], PEM),
    "pem in plain text": ("http.chunk", f"see\n{PEM}\nend", PEM, PEM),
    "aws key": ("ws.text", f'{{"t":"{AWS}"}}', AWS, AWS),
    "masked key": (
        "ws.text",
        '{"error":{"message":"Incorrect API key provided: sk-pr****cdef. You can"}}',
        "sk-pr****cdef",
        "sk-pr****cdef",
    ),
    "error body": (
        "http.chunk",
        f'{{"error":{{"message":"Incorrect API key provided: {KEY}.","code":null}}}}',
        KEY,
        KEY,
    ),
    "environment value": ("ws.text", f'{{"text":"it is {KNOWN}!"}}', KNOWN, KNOWN),
    "environment value in escapes": (
        "ws.text",
        '{"text":"Z\\u00fcrich\\u002d8000-geheim!"}',
        "Z\\u00fcrich\\u002d8000-geheim",
        "Zürich-8000-geheim",
    ),
    "environment value, not ASCII": (
        "http.chunk",
        "it is Zürich-8000-geheim!",
        "Zürich-8000-geheim",
        "Zürich-8000-geheim",
    ),
    "userinfo": ("ws.text", '{"url":"wss://u:p@host/x"}', "u:p", "u:p"),
    "userinfo with escapes": ("ws.text", r'{"url":"wss:\/\/u:p@host\/x"}', "u:p", "u:p"),
    "url in text": ("ws.text", '{"t":"see https://h/x?a=1&access_token=abc#f."}', "abc", "abc"),
    "sdp password": ("http.chunk", "v=0\r\na=ice-pwd:Ab+/cd\r\na=mid:0\r\n", "Ab+/cd", "Ab+/cd"),
    "sdp ufrag": ("http.chunk", "v=0\r\na=ice-ufrag:Ab+/\r\na=mid:0\r\n", "Ab+/", "Ab+/"),
    "sdp in JSON": ("ws.text", '{"sdp":"v=0\\r\\na=ice-pwd:Ab+/cd\\r\\n"}', "Ab+/cd", "Ab+/cd"),
    "sdp candidate": (
        "ws.text",
        '{"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host ufrag aBc network-id 1"}',
        "aBc",
        "aBc",
    ),
    "form": ("http.chunk", "grant_type=x&client_secret=a%2Bb&z=1", "a%2Bb", "a+b"),
    "multipart": ("http.chunk", _PARTS.format("api_key", "abc"), "abc", "abc"),
    "JSON in multipart": (
        "http.chunk",
        _PARTS.format("session", '{"tools":[{"authorization":"abc"}]}'),
        "abc",
        "abc",
    ),
    "server-sent event": (
        "http.chunk",
        'event: x\ndata: {"tools":[{"headers":{"a":"abc"}}]}\n\n',
        "abc",
        "abc",
    ),
    "header line": ("http.chunk", "GET / HTTP/1.1\r\nx-api-key: abc\r\nHost: h\r\n", "abc", "abc"),
    "JSON that is cut off": ("ws.text", '{"a":{"password":"abc","b":"c', "abc", "abc"),
    "name of a field": ("ws.text", f'{{"by_key":{{"{KEY}":1}}}}', KEY, KEY),
    "deep in JSON in JSON": ("ws.text", NESTED, KEY, KEY),
    "a note": ("note", '{"setting":{"proxy_password":"abc"}}', "abc", "abc"),
    "binary": ("ws.binary", f"\x00\x01 {KEY} \x7f", KEY, KEY),
    "ping": ("ws.ping", KEY, KEY, KEY),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_only_the_secret_changes(name: str) -> None:
    kind, text, raw, secret = PLACES[name]
    assert text.count(raw) == 1
    body = text.encode()
    redactor = Redactor(SECRETS)
    assert redactor.leftover(body) is not None
    result = redactor.redact(1, "client", kind, "type", body)
    assert result.decode() == text.replace(raw, marker(SECRETS, secret))
    assert redactor.leftover(result) is None
    assert Redactor(SECRETS).redact(1, "client", kind, "type", result) is result


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"response.done","response":{"usage":{"input_tokens":12,"total_tokens":3}}}',
        '{"name":"tokens","max_output_tokens":"inf","isServerUrlSecretSet":true,"token":12}',
        '{"client_secret":null,"token":false,"password":0.5,"secret":{},"token":""}',
        '{"item_id":"item_E6U0w1234567890abcde","call_id":"call_0123456789abcdef"}',
        '{"id":"rtc_u0_E6U0w1234567890abcde","session":"sess_E6U0w1234567890abcdefg"}',
        '{"credentialId":"0c2b","credentialIds":["1"],"prompt_cache_key":"abc"}',
        '{"tools":[{"parameters":{"properties":{"password":{"type":"string",'
        '"description":"What the user typed"}},"required":["password"]}}]}',
        '{"logprobs":[{"token":"Hello","logprob":-0.1,"bytes":[72]}]}',
        '{"text":"The author keeps a basic idea, Bearer authentication and a key=value pair."}',
        '{"text":"at https://example.com:8080/a@b?model=m&page=2 or task-123456789012345"}',
        '{"text":"password, secret and token are words; sk-learn too"}',
        '{"voice":{"name":"alloy"},"keys":"1234#","url":"/v1/realtime?call_id=rtc_1"}',
        '{"headers":{}}',
        '{"headers":[["Sec-WebSocket-Key","dGhlIHNhbXBsZSBub25jZQ=="],["Accept","*/*"]]}',
        '{"headers":[["Access-Control-Allow-Credentials","true"],["WWW-Authenticate","Basic"]]}',
        '{"headers":[["x-ratelimit-remaining-tokens","12"],["Idempotency-Key","x"]]}',
        "",
        "not JSON at all {",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    body = text.encode()
    redactor = Redactor(SECRETS)
    assert redactor.redact(1, "provider", "ws.text", "x", body) is body
    assert redactor.leftover(body) is None


def test_invalid_utf8_stays() -> None:
    body = b'{"\xff":"\xfe ' + KEY.encode() + b' \x80"}'
    result = Redactor(SECRETS).redact(1, "client", "ws.text", "x", body)
    assert result == body.replace(KEY.encode(), marker(SECRETS, KEY).encode())


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ('{"session":{"tools":[{},{"authorization":"x"}]}}', "$.session.tools[1].authorization"),
        (request(Accept="*/*", Authorization="Bearer x"), "header authorization"),
        (request(query="key=x"), "$.query"),
        (f'{{"error":{{"message":"{KEY}"}}}}', "$.error.message"),
        (f'{{"by":{{"{KEY}":1}}}}', "$.by"),
        (f"plain {KEY}", "offset 6"),
    ],
)
def test_leftover_names_the_place(body: str, where: str) -> None:
    assert Redactor(SECRETS).leftover(body.encode()) == where


def test_a_marker_is_stable_and_keyed() -> None:
    ours, theirs = Secrets(b"one"), Secrets(b"two")
    assert marker(ours, KEY) == marker(Secrets(b"one", ("other",)), KEY)
    assert len({marker(ours, KEY), marker(theirs, KEY), marker(ours, KEY + "x")}) == 3
    assert redact_text(ours, marker(ours, KEY)) == marker(ours, KEY)


def test_the_same_key_has_the_same_marker_wherever_it_stands() -> None:
    redactor = Redactor(SECRETS)
    expected = marker(SECRETS, KEY)
    bodies = [
        ("ws.open", request(Authorization=f"Bearer {KEY}")),
        ("ws.open", request(api_key=KEY)),
        ("ws.open", request(Sec_WebSocket_Protocol=f"realtime, openai-insecure-api-key.{KEY}")),
        ("ws.open", request(query=f"Authorization=Bearer%20{KEY}")),
        ("ws.text", f'{{"text":"{KEY}"}}'),
        ("http.chunk", f"api_key={KEY}"),
    ]
    for channel, (kind, body) in enumerate(bodies):
        result = redactor.redact(channel, "client", kind, "x", body.encode()).decode()
        assert expected in result
        assert "Canary" not in result


def test_text_and_urls_in_it() -> None:
    mark = marker(SECRETS, KEY)
    assert redact_text(SECRETS, f"GET /x: {KEY}; Zürich") == f"GET /x: {mark}; Zürich"
    clean = "nothing to see"
    assert redact_text(SECRETS, clean) is clean
    url = f"wss://h/v1?model=m&key={KEY}#f"
    assert redact_text(SECRETS, url) == f"wss://h/v1?model=m&key={mark}#f"


def test_known_secrets_are_the_values_of_credential_like_variables() -> None:
    environ = {
        "OPENAI_API_KEY": "sk-something-long",
        "VAPI_TOKEN": "0a1b2c3d",
        "DB_PASSWORD": "correct horse battery",
        "DATABASE_URL": "postgresql://app:s3cr%40t-word@db:5432/x",
        "CALLBACK": "https://h/x?access_token=qwerty-12345",
        "AUTH": "a1b2c3d4e5",
        "HOME_DIR": "unrelated-value",
        "GIT_AUTHOR_NAME": "Some Body-Else",
        "PWD": "some-folder-name",
        "SHORT_KEY": "abc",
        "USE_TOKEN": "true",
        "TOKEN_LIMIT": "10000000",
        "SSH_AUTH_SOCK": "/run/user/1000/keyring/ssh",
        "KEY_FILE": "certs/server.pem",
        "ADMIN_PASSWORD": "changeme",
        "AUTH_URL": "https://login.example.com/authorize",
    }
    assert known_secrets(environ) == (
        "correct horse battery",
        "sk-something-long",
        "s3cr%40t-word",
        "qwerty-12345",
        "s3cr@t-word",
        "a1b2c3d4e5",
        "0a1b2c3d",
    )
