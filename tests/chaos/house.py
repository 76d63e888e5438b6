"""The servers around the shop in these tests, and a moment to which every run goes back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from billing.gateways.simulator import GatewaySimulator
from provisioning.models import Server
from provisioning.simulator.simulator import Simulator
from tests import snapshots, world
from tests.billing import smtp
from tests.chaos.forks import Forks, forking
from tests.clock import Clock
from tests.processes import wait_until
from tests.story import Gateway


class House:
    """Dialler, gateway, mail server, and the process that forks workers; they outlive a test."""

    def __init__(
        self, dialler: Simulator, gateway: Gateway, post: smtp.Server, forks: Forks
    ) -> None:
        self.dialler = dialler
        self.gateway = gateway
        self.post = post
        self.forks = forks
        self._image = b""

    def open(self, clock: Clock) -> None:
        """Open an empty shop, whose dialler is believed to be quiet after five seconds."""
        self.dialler.reset()
        world.settle_in(self.dialler.url, at=clock.now())
        Server.objects.update(
            quiet_seconds=5,
            read_gap_seconds=2,
            # A loaded machine must not look like a dialler that hangs.
            connect_timeout_seconds=2,
            read_timeout_seconds=4,
        )

    def keep(self) -> None:
        """Keep this moment: the shop's rows and the dialler's state."""
        snapshots.keep_as("moment")
        self._image = self.dialler.image()

    def go_back(self) -> None:
        """Be again at the moment that was kept, with an empty letter box."""
        self.let_late_effects_come()
        snapshots.put_back("moment")
        self.dialler.restore(self._image)
        self.post.received.clear()
        self.forks.forget()

    def let_late_effects_come(self) -> None:
        """Wait until the dialler has done all that it answered too early for."""
        wait_until(lambda: not self._late(), what="late effects")

    def _late(self) -> bool:
        return any(each["effect"] == "late" for each in self.dialler.log()["requests"])

    @contextmanager
    def trouble(self, how: str) -> Iterator[None]:
        """Let the dialler be "down" (refuse connections) or "drop" them; "" is no trouble."""
        if how == "down":
            self.dialler.stop()
        self.dialler.down(down=how == "drop")
        try:
            yield
        finally:
            self.dialler.down(down=False)
            if how == "down":
                self.dialler.start_again()


@contextmanager
def built() -> Iterator[House]:
    config = settings.SIMULATED_GATEWAY
    dialler = Simulator.start(password=world.SIMULATOR_PASSWORD)
    # Its webhooks go nowhere: a test stores them when it wants them to arrive.
    gateway = GatewaySimulator.start(
        webhook_url="http://127.0.0.1:9/",
        key=config["key"],
        secret=config["secrets"][0],
        account=config["account"],
    )
    env = {"SIMULATED_GATEWAY_URL": gateway.url}
    with (
        smtp.serving() as post,
        forking(**env, EMAIL_URL=f"smtp://127.0.0.1:{post.port}") as forks,
    ):
        yield House(dialler, Gateway(gateway), post, forks)
    gateway.stop()
    dialler.close()
