"""The error tree: what a user can cause, with the exit code that a command ends with.

RecorderError            2  wrong usage or input
├── StoreError           2  a store that cannot be opened, read or written
├── ImportFailed         2  a file that cannot be read as a recording
└── CheckFailed          1  the input is fine and a check over it failed

A message is one line that names the cause and the remedy. Anything else that escapes is a
bug and ends with exit code 3.
"""


class RecorderError(Exception):
    """Something a user can cause and mend; its text is shown as it is."""

    exit_code = 2


class StoreError(RecorderError):
    """The event store cannot be opened, read or written."""


class ImportFailed(RecorderError):
    """A file or folder is not a recording that can be read."""


class CheckFailed(RecorderError):
    """A verification, replay or comparison found a difference."""

    exit_code = 1
