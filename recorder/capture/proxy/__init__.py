"""The recording proxy: one port, providers under their prefixes, everything on a tape."""
