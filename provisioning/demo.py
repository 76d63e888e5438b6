"""The demo's diallers: the simulator twice, once in each profile and currency."""

from provisioning import servers, vault
from provisioning.dialler.mapping import simulator_mapping
from provisioning.models import Pool, Server

API_USER = "admin"
# Name, currency, profile, authentication: together they exercise both generations of the API.
SERVERS = (
    ("Dialler EU", "EUR", Server.Profile.CURRENT, Server.Auth.FORM),
    ("Dialler US", "USD", Server.Profile.LEGACY, Server.Auth.FORM_LEGACY),
)


def seed_servers(simulator_url: str, password: str) -> None:
    """Point the demo's servers at the running simulator; its address may be another each time."""
    pool = Pool.objects.get(is_default=True)
    for name, currency, profile, auth in SERVERS:
        server, _ = Server.objects.update_or_create(
            name=name,
            defaults={
                "base_url": f"{simulator_url}/{profile}/rest",
                "login_url": f"{simulator_url}/login",
                "currency": currency,
                "profile": profile,
                "auth": auth,
                "username": API_USER,
                "secret_sealed": vault.seal(password, purpose=servers.SECRET),
                "mapping": simulator_mapping(profile).to_json(),
                "connect_timeout_seconds": 2,
                "read_timeout_seconds": 5,
                "quiet_seconds": 5,
                "read_gap_seconds": 2,
                "reading_minutes": 5,
            },
        )
        server.pools.add(pool)
