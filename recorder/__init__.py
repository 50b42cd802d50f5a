"""Record voice-AI conversations as append-only tapes."""
