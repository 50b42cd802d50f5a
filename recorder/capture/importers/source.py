"""Opening a file to import, and telling its format from its content."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from recorder.capture.importers import cassette, frames, har
from recorder.capture.importers.conversation import Source
from recorder.errors import ImportFailed

_ZIP = b"PK\x03\x04"
_HEAD = 4096  # bytes that tell a format
_MEMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
_HAR = re.compile(rb'\s*\{\s*"log"\s*:')
_CASSETTE = re.compile(rb'\s*\{.*"interactions"\s*:\s*\[', re.S)
_FRAMES = re.compile(rb'\s*(?:"close"|\{[^\n]*"dir(?:ection)?"\s*:\s*")')


def open_source(path: Path) -> Source:
    """Read a file, or the HAR in a zip; ImportFailed if it cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImportFailed(f"{path} cannot be read ({error.strerror}): name a file") from error
    return _zipped(path) if data.startswith(_ZIP) else Source(path.name, data, _Beside(path).read)


def detect(source: Source) -> str:
    """The name of a file's format; ImportFailed asks for it where the content does not tell."""
    data = source.data.removeprefix(b"\xef\xbb\xbf")[:_HEAD]
    for name, pattern in ((har.NAME, _HAR), (frames.NAME, _FRAMES), (cassette.NAME, _CASSETTE)):
        if pattern.match(data):
            return name
    if not data.strip():
        raise ImportFailed(f"{source.name} is empty: name a file with a recording in it")
    raise ImportFailed(
        f"{source.name} does not look like a recording: if it is one, name its format with --format"
    )


class _Beside:
    """Files in the folder of a HAR."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent

    def read(self, name: str) -> bytes:
        path = self._folder / _plain(name)
        try:
            return path.read_bytes()
        except OSError as error:
            raise ValueError(f"{name}, which it names, cannot be read ({error.strerror})") from None


def _zipped(path: Path) -> Source:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise ImportFailed(f"{path.name} is no whole zip file ({error}): get it again") from error
    hars = [name for name in members if name.endswith(".har")]
    if len(hars) != 1:
        raise ImportFailed(f"{path.name} has {len(hars)} .har files; it must have one")

    def beside(name: str) -> bytes:
        if _plain(name) not in members:
            raise ValueError(f"{name}, which it names, is not in the zip")
        return members[name]

    return Source(f"{path.name}:{hars[0]}", members[hars[0]], beside)


def _plain(name: str) -> str:
    """`name`, if it is that of a file and not a path."""
    if not isinstance(name, str) or not _MEMBER.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a file beside it")
    return name
