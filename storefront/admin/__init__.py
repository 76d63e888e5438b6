"""Staff's pages that show what customers see. Rows are written by the flows below the shop."""

from storefront.admin import mail_texts, packages

__all__ = ["mail_texts", "packages"]
