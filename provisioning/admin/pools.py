"""Server pools: which packages are sold on which servers, and how full these are."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from packages.desk.cells import EMPTY, badge, counted, lines, link, listed
from packages.desk.pages import Page, TabularInline
from provisioning import pools
from provisioning.models import Account, Pool, PoolPackage, Server


class PackageInline(TabularInline):
    model = PoolPackage
    extra = 0
    fields = ("package",)


@admin.register(Pool)
class PoolPage(Page):
    inlines = (PackageInline,)
    list_display = ("name", "is_default", "on", "sold")
    fields = ("name", "is_default", "on")
    readonly_fields = ("is_default", "on")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The default stays, and so does a pool that accounts name as theirs."""
        free = obj is not None and not obj.is_default and not obj.accounts.exists()
        return free and super().has_delete_permission(request, obj)

    @admin.display(description=gettext_lazy("servers"))
    def on(self, row: Pool) -> SafeString | str:
        if row._state.adding:
            return EMPTY
        servers = list(row.servers.all())
        if not servers:
            return badge("bad", _("no server"))
        loads = pools.loads_of(servers)
        return lines([format_html("{}: {}", link(s), filling(s, loads[s.pk])) for s in servers])

    @admin.display(description=gettext_lazy("packages"))
    def sold(self, row: Pool) -> SafeString | str:
        packages: Sequence[PoolPackage] = list(row.packages.select_related("package"))
        if row.is_default:
            return _("all that have no pool of their own")
        return lines([link(each.package) for each in packages])


def held(server: Server, text: str = "") -> SafeString:
    """Return how many accounts it has, as `filling` counts them, as a link to their list; in
    other words if given.
    """
    State = Account.State
    there = server.accounts.filter(placed=True).exclude(state=State.CLOSED)
    states = ",".join((State.PLANNED, State.LIVE, State.SUSPENDED))
    which = {"server__id__exact": server.pk, "placed__exact": 1, "state__in": states}
    if not text:
        return counted(there, **which)
    return listed(Account, text, **which) if there.exists() else format_html("{}", text)


def filling(server: Server, load: pools.Load) -> str:
    """Say how full a server is, and whether it takes more."""
    accounts = _of(load.accounts, server.capacity_accounts)
    many = load.accounts if server.capacity_accounts is None else server.capacity_accounts
    parts = [ngettext("%(count)s account", "%(count)s accounts", many) % {"count": accounts}]
    if server.capacity_channels is not None:
        channels = _of(load.channels, server.capacity_channels)
        parts.append(_("%(count)s channels") % {"count": channels})
    if not server.active:
        parts.append(_("drained"))
    elif not load.leaves_room(server, channels=1):
        parts.append(_("full"))
    return " · ".join(parts)


def _of(count: int, most: int | None) -> str:
    return (
        str(count) if most is None else _("%(count)s of %(most)s") % {"count": count, "most": most}
    )
