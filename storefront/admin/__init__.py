"""Staff's pages that show what customers see. Rows are written by the flows below the shop."""

from storefront.admin import packages

__all__ = ["packages"]
