"""Words of Django's own pages that the desk says in its own way; locale/ says how.

Nobody imports them: they stand here so that the catalogue of the shop has them, and its words come
before Django's.
"""

from django.utils.translation import gettext_noop as noop

# In German Django says „Sichern“ where all our own buttons say „Speichern“.
SAVING = (
    noop("Save"),
    noop("Save as new"),
    noop("Save and add another"),
    noop("Save and continue editing"),
    noop("Save and view"),
)
