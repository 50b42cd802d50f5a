"""What many people write first: an ORM object for each message, committed at once."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    """The mapping's root."""


class Row(Base):
    """One message."""

    __tablename__ = "message"
    id: Mapped[int] = mapped_column(primary_key=True)
    sender: Mapped[str]
    body: Mapped[str]


def keeper(path: str) -> Callable[[str, str], None]:
    """A function that stores one message of a sender."""
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", lambda raw, _: raw.execute("pragma journal_mode=wal"))
    Base.metadata.create_all(engine)
    session = Session(engine)

    def keep(sender: str, body: str) -> None:
        session.add(Row(sender=sender, body=body))
        session.commit()

    return keep
