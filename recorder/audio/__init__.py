"""Sound: PCM16, G.711, an energy VAD, files and timelines. Samples are mono int16 arrays."""
