"""Speech by espeak-ng, as a library of the `espeakng-loader` wheel."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recorder.errors import RecorderError

VOLUME = 25  # of espeak-ng's 100: peaks near -14 dBFS, as on a telephone line

_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: audio goes to the callback, in the caller's thread
_DONT_EXIT = 0x8000
_SPEED, _VOLUME, _PITCH = 1, 2, 3  # espeak_PARAMETER
_UTF8 = 1
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class Espeak:
    """The library; one per process. RecorderError if it is not installed or does not start."""

    def __init__(self) -> None:
        try:
            import espeakng_loader  # type: ignore[import-untyped]
        except ImportError:
            raise RecorderError(
                "speech needs espeak-ng: `pip install espeakng-loader`, or give sound files "
                "(`file = …`) in place of `say`"
            ) from None
        library = ctypes.CDLL(espeakng_loader.get_library_path())
        library.espeak_Info.restype = ctypes.c_char_p
        number = ctypes.c_uint
        library.espeak_Synth.argtypes = [
            *(ctypes.c_char_p, ctypes.c_size_t, number, number, number, number),
            *(ctypes.c_void_p, ctypes.c_void_p),
        ]
        data = espeakng_loader.get_data_path().encode()
        self.rate: int = library.espeak_Initialize(_SYNCHRONOUS, 0, data, _DONT_EXIT)
        if self.rate <= 0:
            raise RecorderError("espeak-ng does not start: reinstall espeakng-loader")
        self.version: str = library.espeak_Info(None).decode()
        self._library = library
        self._heard: list[NDArray[np.int16]] = []
        self._callback = _CALLBACK(self._hear)  # kept: the library holds only its address
        library.espeak_SetSynthCallback(self._callback)

    def _hear(self, wave: Any, count: int, _events: Any) -> int:
        if wave and count > 0:
            self._heard.append(np.ctypeslib.as_array(wave, (count,)).astype(np.int16))
        return 0

    def say(self, text: str, voice: str, wpm: int, pitch: int) -> NDArray[np.int16]:
        """Samples of `text` at `self.rate`. RecorderError for a voice that is not there."""
        library, data = self._library, text.encode()
        self._heard.clear()
        if library.espeak_SetVoiceByName(voice.encode()):
            raise RecorderError(f"espeak-ng has no voice {voice!r}; try en-us, en-gb-x-rp or de")
        settings = ((_SPEED, wpm), (_VOLUME, VOLUME), (_PITCH, pitch))
        failed = any(library.espeak_SetParameter(name, value, 0) for name, value in settings)
        if failed or library.espeak_Synth(data, len(data) + 1, 0, 0, 0, _UTF8, None, None):
            raise RecorderError(f"espeak-ng cannot say {text!r} with {wpm} words a minute")
        return np.concatenate(self._heard) if self._heard else np.empty(0, dtype=np.int16)
