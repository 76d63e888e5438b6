"""The simulator as an object: started, stopped, given orders and asked, without HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Self

from provisioning.simulator import accounts, campaigns, controls, faults, tokens, truth
from provisioning.simulator.faults import Fault
from provisioning.simulator.machine import Machine
from provisioning.simulator.site import Site
from provisioning.simulator.store import Store, keep_setting
from provisioning.simulator.switches import Switches
from provisioning.simulator.web import Listener


def utc_now() -> datetime:
    return datetime.now(UTC)


class Faults:
    """The scripts of misbehaviour, oldest first."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, method: str, **script: Any) -> None:
        """Add a script: `username`, `times`, `apply`, `answer` as in `faults.Fault`."""
        with self._store.transaction() as db:
            faults.add(db, [Fault.parse({"method": method, **script})])

    def waiting(self) -> list[dict[str, Any]]:
        with self._store.transaction() as db:
            return faults.waiting(db)

    def clear(self) -> None:
        with self._store.transaction() as db:
            faults.clear(db)


class Simulator:
    """One simulated server on one port. `profile` is what plain `/rest` speaks; `both` means
    legacy.
    """

    def __init__(self, machine: Machine, listener: Listener, now: Callable[[], datetime]) -> None:
        self._machine = machine
        self._listener = listener
        self._now = now
        self.faults = Faults(machine.store)

    @classmethod
    def start(
        cls,
        *,
        profile: str = "both",
        password: str = "simulator",
        host: str = "127.0.0.1",
        port: int = 0,
        data: str = ":memory:",
        currency: str = "EUR",
        now: Callable[[], datetime] = utc_now,
    ) -> Self:
        """Return a simulator that answers; port 0 takes a free one. The admin is
        `admin`/`password`.
        """
        if profile not in {"legacy", "current", "both"}:
            raise ValueError("profile is legacy, current or both.")
        machine = Machine(Store(data), password=password, currency=currency, now=now)
        listener = Listener(host, port, Site(machine, profile=profile, now=now))
        listener.listen()
        return cls(machine, listener, now)

    @property
    def url(self) -> str:
        """The address of the human page, without a slash at the end."""
        return f"http://{self._listener.host}:{self._listener.port}"

    @property
    def port(self) -> int:
        return self._listener.port

    def base_url(self, profile: str = "legacy") -> str:
        """The address a client of this generation takes."""
        return f"{self.url}/{profile}/rest"

    def stop(self) -> None:
        """Refuse connections from now on; the state stays and late effects still happen."""
        self._listener.close()

    def start_again(self) -> None:
        """Listen on the same port again, with the state as it was."""
        self._listener.listen()

    def close(self) -> None:
        """Stop for good: no late effect happens any more, a state in memory is gone."""
        self._listener.close()
        self._machine.close()

    def reset(self) -> None:
        """Forget accounts, log and faults, keep switches."""
        self._machine.reset()

    def image(self) -> bytes:
        """Return the whole state, for `restore`."""
        return self._machine.store.image()

    def restore(self, image: bytes) -> None:
        """Go back to an earlier state: accounts, log, faults and switches."""
        self._machine.restore(image)

    def log(self) -> dict[str, list[dict[str, Any]]]:
        """Return `requests` and `effects`, oldest first."""
        with self._machine.store.transaction() as db:
            return truth.log(db)

    def effects(self, verb: str, *, username: str | None = None) -> list[dict[str, Any]]:
        """Return what happened: create, update, password, suspend, resume, credit, delete."""
        found = (each for each in self.log()["effects"] if each["verb"] == verb)
        return [each for each in found if username in {None, each["username"]}]

    def accounts(self) -> list[dict[str, Any]]:
        with self._machine.store.transaction() as db:
            campaigns.settle(db, at=self._now())
            return [controls.shown(db, each) for each in accounts.customers(db)]

    def account(self, username: str) -> dict[str, Any] | None:
        return next((each for each in self.accounts() if each["username"] == username), None)

    def switch(self, **changes: Any) -> None:
        """Set switches (`switches.Switches`); they stay through `reset`."""
        with self._machine.store.transaction() as db:
            Switches.load(db).changed(changes).save(db)

    def down(self, *, down: bool) -> None:
        """Drop every connection to the API and the pages at once, or cease to."""
        with self._machine.store.transaction() as db:
            keep_setting(db, "down", down)

    def burn(self, username: str, amount: str) -> None:
        """Spend so much of the account's credit (major units), down to zero."""
        with self._machine.store.transaction() as db:
            account = accounts.by_name(db, username)
            if account is None:
                raise ValueError(f"There is no account {username!r}.")
            accounts.burn(db, account, accounts.to_e4(amount))

    def token(self, username: str = "admin", *, days: int = tokens.LIFETIME_DAYS) -> str:
        """Return an API key for the account; negative `days` make one that has ended."""
        with self._machine.store.transaction() as db:
            account = accounts.by_name(db, username)
            if account is None:
                raise ValueError(f"There is no account {username!r}.")
            return tokens.issue(db, account["id"], at=self._now(), days=days)
