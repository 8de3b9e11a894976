"""Which store a configuration names, and whether it is that of its state folder.

The numbers of the journal's records are those of one state folder. A store in a database therefore has an id, which the
folder has too, in the file `store_id`: neither can be used with another one by mistake.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from geo.errors import UsageError
from geo.whole_file import write_text
from luxwake.daemon.config import Config
from luxwake.daemon.event_store import EventStore
from luxwake.daemon.store import Store

if TYPE_CHECKING:
    from luxwake.daemon.store_postgres import PostgresStore

FILE = "events.sqlite"
_ID = "store_id"


def open_store(config: Config) -> EventStore:
    """The store of a daemon, which is made where there is none.

    Raises UsageError where the store or the folder belongs to another one, and what the stores raise.
    """
    folder = Path(config.state)
    if not config.store:
        if has_database(folder):
            raise UsageError(f"{folder}: its store is a database; set `store` to it, or another `state` to begin anew")
        return Store(folder / FILE)
    from luxwake.daemon.store_postgres import PostgresStore

    store = PostgresStore(config.store)
    try:
        _join(folder, store)
    except BaseException:
        store.close()
        raise
    return store


def has_database(folder: Path) -> bool:
    """Is the store of a state folder a database?"""
    return (folder / _ID).exists()


def _join(folder: Path, store: PostgresStore) -> None:
    """See that a folder and a database are each other's, or make them so where both are new."""
    path = folder / _ID
    mine, its = path.read_text(encoding="ascii").strip() if path.exists() else "", store.meta(_ID)
    if mine == its != "":
        return
    if its and store.record:
        raise UsageError(
            f"{store.place}: is the store of another state folder, not of {folder}; set `state` to that one, or "
            "`store` to another database"
        )
    if (folder / "journal").exists():
        raise UsageError(f"{folder}: its store is not {store.place}; set `store` to its own, or another `state`")
    if not mine:
        mine = secrets.token_hex(16)
        write_text(path, [mine + "\n"])
    store.set_meta(_ID, mine)
