"""Who else acts for the customer: invite, decide what they may do, take out, leave."""

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from billing import colleagues as flow
from billing.models import Invitation, Membership, User
from packages import clock
from storefront.colleague_forms import InvitationForm, MemberForm
from storefront.owned import CHOSEN, acting_for, membership_of, own_customer, user_of


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def colleagues(request: HttpRequest) -> HttpResponse:
    """Show who acts for the customer; a POST invites somebody."""
    me = _me(request)
    form = InvitationForm(request.POST or None)
    if not form.is_valid():
        return _page(request, me, form)
    # Each invitation is a mail to whatever address was typed.
    if not ratelimit.consume(request, action="invitation", user=user_of(request)):
        return render(request, "429.html", status=429)
    email = form.cleaned_data["email"]
    try:
        flow.invite(me, email, form.cleaned_data["rights"], at=clock.now())
    except flow.NotAllowed:
        form.add_error("rights", _("You can only give rights that you have yourself."))
        return _page(request, me, form)
    messages.success(request, _("We have mailed an invitation to %(email)s.") % {"email": email})
    return redirect("storefront:colleagues")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def colleague(request: HttpRequest, member_id: int) -> HttpResponse:
    """Show what somebody may do; a POST changes it, or takes them out."""
    me = _me(request)
    member = get_object_or_404(me.customer.memberships.select_related("user"), pk=member_id)
    form = MemberForm(request.POST or None, member)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            if "remove" in request.POST:
                flow.remove(member, by=me, at=clock.now())
            else:
                flow.change(member, given["rights"], owner=given["owner"], by=me, at=clock.now())
        except flow.NotAllowed:
            form.add_error(None, _("Only an owner can do this, or you lack the right yourself."))
        except flow.LastOwner:
            form.add_error(None, _("One owner must stay. Make somebody else an owner first."))
        else:
            messages.success(request, _("Saved."))
            return redirect("storefront:colleagues")
    page = {"form": form, "member": member, "is_me": member == me}
    status = 422 if form.errors else 200
    return render(request, "storefront/account/colleague.html", page, status=status)


@login_required
@require_POST
def colleague_leave(request: HttpRequest) -> HttpResponse:
    """Act for this customer no more."""
    me = _me(request)
    try:
        flow.remove(me, by=me, at=clock.now())
    except flow.LastOwner:
        text = _("You are the last owner. Make somebody else an owner first.")
        messages.error(request, text)
        return redirect("storefront:colleagues")
    messages.success(request, _("You no longer act for %(who)s.") % {"who": me.customer})
    return redirect("storefront:dashboard")


@login_required
@require_POST
def invitation_withdraw(request: HttpRequest, invitation_id: int) -> HttpResponse:
    row = get_object_or_404(own_customer(request).invitations, pk=invitation_id)
    flow.withdraw(row, at=clock.now(), actor=f"user:{user_of(request).pk}")
    messages.success(request, _("The invitation is withdrawn; its link no longer works."))
    return redirect("storefront:colleagues")


@login_required
@require_POST
def act_for(request: HttpRequest) -> HttpResponse:
    """Choose the customer that the client area is about, of those one acts for."""
    mine = {str(each.customer.pk): each.customer.pk for each in acting_for(request)}
    chosen = mine.get(request.POST.get("customer", ""))
    if chosen is None:
        raise Http404
    request.session[CHOSEN] = chosen
    return redirect("storefront:dashboard")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Say who invites to what; only a POST accepts, so that a mail scanner's visit does nothing."""
    at, user = clock.now(), user_of(request)
    try:
        row = flow.find(token, at=at)
        if request.method == "POST":
            accepted = flow.accept(token, user, at=at)
            request.session[CHOSEN] = accepted.customer.pk
            text = _("You now act for %(who)s.") % {"who": accepted.customer}
            messages.success(request, text)
            return redirect("storefront:dashboard")
    except flow.Gone:
        return render(request, "storefront/invitation.html", {"invitation": None}, status=410)
    except flow.OtherAddress:
        return _invited(request, row, user, status=403)
    return _invited(request, row, user)


def _invited(
    request: HttpRequest, row: Invitation, user: User, *, status: int = 200
) -> HttpResponse:
    fits = row.email.lower() == user.email.lower()
    page = {"invitation": row, "fits": fits}
    return render(request, "storefront/invitation.html", page, status=status)


def _me(request: HttpRequest) -> Membership:
    """Return one's own membership, with the right that the page needs."""
    own_customer(request)
    membership = membership_of(request)
    assert membership is not None
    return membership


def _page(request: HttpRequest, me: Membership, form: InvitationForm) -> HttpResponse:
    at, members = clock.now(), list(me.customer.memberships.select_related("user").order_by("id"))
    owners = {each.pk for each in members if each.role == Membership.Role.OWNER}
    open_ones = me.customer.invitations.filter(state=Invitation.State.SENT, expires_at__gt=at)
    context = {
        "me": me,
        "may_manage": Membership.Right.MANAGE in me.rights,
        "members": members,
        # Without an owner nobody could manage it any more.
        "may_leave": owners != {me.pk},
        "invitations": open_ones,
        "history": flow.history(me.customer),
        "form": form,
    }
    status = 422 if form.errors else 200
    return render(request, "storefront/account/colleagues.html", context, status=status)
