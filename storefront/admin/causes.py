"""What the causes mean that the shop's own pages make, for staff who read them."""

from django.utils.translation import gettext_lazy as _

from packages.desk.causes import UUID, Cause, know
from storefront.letters import LETTERS

know(
    Cause(r"password-\d+-\w+", _("the customer asked for a new password")),
    Cause(rf"({'|'.join(LETTERS)})-{UUID}", _("asked for at the sign-in")),
)
