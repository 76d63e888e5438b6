"""The mail that invites somebody to act for a customer."""

from datetime import datetime

from billing import emails
from billing.models import Invitation, User


def colleague_invited(invitation: Invitation, token: str, *, by: User, at: datetime) -> None:
    """Mail the link that lets somebody in. It is sealed: only the mail that leaves holds it."""
    emails.queue(
        "colleague_invited",
        f"invitation-{invitation.pk}",
        invitation.email,
        {
            "invitation": invitation,
            "inviter": by.get_full_name(),
            "button_url": emails.SEALED,
        },
        language=invitation.customer.language,
        at=at,
        sealed=emails.link("storefront:invitation", token),
    )
