"""Staff's pages that show what customers see. Rows are written by the flows below the shop."""

from storefront.admin import causes, mail_texts, packages

__all__ = ["causes", "mail_texts", "packages"]
