"""Why an amount, a due date or a suspension is as it is: the rule, the inputs, the event behind it.

Everything is read from rows that were written then, or from the quote that is shown; nothing is
worked out anew.
"""

from storefront.reasons.balance import of_balance as of_balance
from storefront.reasons.documents import of_invoice as of_invoice
from storefront.reasons.documents import of_order as of_order
from storefront.reasons.overview import of_overview as of_overview
from storefront.reasons.previews import of_end as of_end
from storefront.reasons.previews import of_exchange as of_exchange
from storefront.reasons.previews import of_priced as of_priced
from storefront.reasons.subscriptions import of_service as of_service
