"""Runs inside a generated project: the FastAPI service with what nearly every such service has, SQLAlchemy and an access log.

python sqlalchemy_service.py PORT

The documentation's own way: classes of rows, a session for each piece of work, aiosqlite beneath.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bare_service import main
from fastapi_service import fastapi
from sqlalchemy import event, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Base(MappedAsDataclass, DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(primary_key=True)
    business: Mapped[str]
    api_key: Mapped[str]
    secret: Mapped[str]
    push_id: Mapped[str]


class Reply(Base):
    __tablename__ = "replies"

    id: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str | None] = mapped_column(default=None)


class Message(Base):
    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    delivery: Mapped[str]
    post: Mapped[str]
    sent: Mapped[bool] = mapped_column(default=False)


class Delivery(Base):
    __tablename__ = "deliveries"

    account: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)


class Pulled(Base):
    __tablename__ = "pulled"

    account: Mapped[str] = mapped_column(primary_key=True)
    post: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[str]


class Pull(Base):
    __tablename__ = "pulls"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    account: Mapped[str]
    at: Mapped[str]
    returned: Mapped[int]


class SessionStore:
    def __init__(self, database: Path) -> None:
        self._engine = create_async_engine(f"sqlite+aiosqlite:///{database}")
        self._session = async_sessionmaker(self._engine, expire_on_commit=False)

        @event.listens_for(self._engine.sync_engine, "connect")
        def configure(connection: Any, _record: object) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")

    async def account(self, account_id: str) -> Any:
        async with self._session() as session:
            return await session.get_one(Account, account_id)

    async def note_pull(self, account_id: str, posts: Sequence[dict[str, Any]]) -> None:
        at = datetime.now(UTC).isoformat()
        insertion = insert(Pulled)
        upsert = insertion.on_conflict_do_update(set_={"at": insertion.excluded.at})
        async with self._session.begin() as session:
            await session.execute(
                upsert, [{"account": account_id, "post": post["id"], "at": at} for post in posts]
            )
            session.add(Pull(account=account_id, at=at, returned=len(posts)))

    async def reply(self, identifier: str) -> str | None:
        async with self._session() as session:
            reply = await session.get(Reply, identifier)
            return reply and reply.external_id

    async def promise(self, identifier: str) -> None:
        async with self._session.begin() as session:
            session.add(Reply(identifier))

    async def settle(self, identifier: str, external_id: str) -> None:
        async with self._session.begin() as session:
            (await session.get_one(Reply, identifier)).external_id = external_id

    async def accept(self, account_id: str, delivery: str, posts: Sequence[dict[str, Any]]) -> None:
        async with self._session.begin() as session:
            if await session.get(Delivery, (account_id, delivery)) is None:
                session.add(Delivery(account_id, delivery))
                session.add_all(Message(delivery, json.dumps(post)) for post in posts)

    async def waiting(self) -> Sequence[tuple[int, str]]:
        async with self._session() as session:
            found = await session.scalars(select(Message).where(~Message.sent).limit(200))
            return [(message.id, message.post) for message in found]

    async def note_sent(self, numbers: Sequence[int]) -> None:
        async with self._session.begin() as session:
            await session.execute(update(Message).where(Message.id.in_(numbers)).values(sent=True))

    async def close(self) -> None:
        await self._engine.dispose()


if __name__ == "__main__":
    main(fastapi, SessionStore, access_log=True)
