"""`manage.py add_server`: make a dialler known, or correct one, and test the connection."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from provisioning import servers, vault
from provisioning.dialler.base import NotAllowed
from provisioning.dialler.mapping import Mapping, MappingError, simulator_mapping
from provisioning.models import Pool, Server


class Command(BaseCommand):
    help = "Add an ICTBroadcast server, or change the one of that name, and test the connection."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True)
        parser.add_argument("--url", required=True, help="up to and including /rest")
        parser.add_argument("--profile", required=True, choices=Server.Profile.values)
        parser.add_argument("--auth", required=True, choices=Server.Auth.values)
        parser.add_argument("--username", default="", help="not needed with bearer")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            required=True,
            help="read the password or API key from standard input, never from the command line",
        )
        parser.add_argument("--currency", default="EUR", help="of the server's balances")
        parser.add_argument("--login-url", default="", help="for customers; default: without /rest")
        names = parser.add_mutually_exclusive_group()
        names.add_argument("--mapping-file", type=Path, help="JSON over the profile's defaults")
        names.add_argument("--simulator-mapping", action="store_true", help="our simulator's names")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            server, new = self._store(options)
            works = servers.check(server, at=timezone.now())
        except ValidationError as error:
            raise CommandError(_sentences(error)) from error
        except NotAllowed as error:
            raise CommandError(error.reason) from error
        except MappingError as error:
            raise CommandError(f"The mapping cannot be used. {error}") from error
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {type(error).__name__}.") from error
        deed = "added" if new else "changed"
        if not works:
            raise CommandError(
                f"Server {server.name} is {deed}, but the connection test failed: "
                f"{server.check_note}."
            )
        self.stdout.write(f"Server {server.name} is {deed}: {server.check_note}.")

    def _store(self, options: dict[str, Any]) -> tuple[Server, bool]:
        """Validate everything before the first write; the secret is sealed."""
        server = Server.objects.filter(name=options["name"]).first() or Server()
        new = server.pk is None
        server.name, server.base_url = options["name"], options["url"].rstrip("/")
        server.profile, server.auth = options["profile"], options["auth"]
        server.username, server.currency = options["username"], options["currency"].upper()
        server.login_url = options["login_url"] or server.base_url.removesuffix("/rest") + "/"
        server.mapping = _mapping(options, server)
        if server.auth != Server.Auth.BEARER and not server.username:
            raise CommandError("--username is needed unless --auth is bearer.")
        secret = sys.stdin.readline().rstrip("\r\n")
        if not secret:
            raise CommandError("No password came on standard input.")
        server.secret_sealed = vault.seal(secret, purpose=servers.SECRET)
        server.full_clean()
        servers.reach().demand_url(server.base_url)
        server.save()
        if new:
            server.pools.add(Pool.objects.get(is_default=True))
        return server, new


def _mapping(options: dict[str, Any], server: Server) -> dict[str, Any]:
    """Return what to keep: the simulator's names, the file's, or those the server has already."""
    if options["simulator_mapping"]:
        return simulator_mapping(server.profile).to_json()
    data: dict[str, Any] = server.mapping
    if options["mapping_file"] is not None:
        data = _read(options["mapping_file"])
    Mapping.from_json(data, profile=server.profile)
    return data


def _read(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {type(error).__name__}.") from error
    except ValueError as error:
        raise CommandError(f"{path} is not JSON: {error}.") from error
    return data


def _sentences(error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(f"{field}: {' '.join(told)}" for field, told in error.message_dict.items())
