"""Which addresses a dialler may have. Its address is configuration, and whoever may write it must
not be able to make our servers call whatever is near them.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

from provisioning.dialler.errors import NotAllowed

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# An IPv4 address may travel inside of these (RFC 6052).
NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Reach:
    """`hosts`: the only names allowed, any when empty. `networks`: where addresses that are not
    public are allowed all the same. `plain_http`: whether TLS may be missing.
    """

    hosts: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    plain_http: bool = False

    def demand_url(self, url: str) -> None:
        """Raise NotAllowed for a scheme or a host that is not allowed. Resolves nothing."""
        parts = urlsplit(url)
        if parts.scheme != "https" and not self.plain_http:
            raise NotAllowed("The address must begin with https://.")
        host = (parts.hostname or "").rstrip(".")
        if self.hosts and host not in self.hosts:
            raise NotAllowed(f"{host} is not among the allowed hosts.")

    def resolve(self, host: str, port: int) -> list[str]:
        """Resolve the name once; raise NotAllowed unless every address it has is allowed.

        The caller connects to what is returned, not to the name: its next answer may be another.
        Raises OSError where it does not resolve.
        """
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            if not self._allows(ipaddress.ip_address(address.split("%")[0])):
                raise NotAllowed(f"{host} is at an address that is not public.")
        return addresses

    def _allows(self, address: Address) -> bool:
        bare = _inside(address)
        if any(bare in network for network in self.networks):
            return True
        return bare.is_global and not bare.is_multicast


def _inside(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one carries, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
