"""Other people's recordings: one module a format, and one line here."""

from __future__ import annotations

from recorder.capture.importers import cassette, frames, har
from recorder.capture.importers.conversation import Importer

FORMATS: dict[str, Importer] = {
    frames.NAME: frames,
    har.NAME: har,
    cassette.NAME: cassette,
}
