"""Heads with bytes that are not UTF-8."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from recorder.capture.proxy.octets import _serialized

LINE = "HTTP/1.1 200 OK"


def test_every_byte_is_written_as_it_came() -> None:
    head = _serialized("HTTP/1.1 200 th\udce9", CIMultiDict({"X-Name": "caf\udce9 é"}))
    assert head == b"HTTP/1.1 200 th\xe9\r\nX-Name: caf\xe9 \xc3\xa9\r\n\r\n"
    plain = _serialized("HTTP/1.1 200 th\udce9", CIMultiDict({"X-Name": "cafe"}))
    assert plain == b"HTTP/1.1 200 th\xe9\r\nX-Name: cafe\r\n\r\n"


@pytest.mark.parametrize("value", ["é\r\nX: y", "\udce9\0", "é\x01"])
def test_what_no_head_may_have_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"control character|Newline"):
        _serialized(LINE, CIMultiDict({"X-Name": value}))
