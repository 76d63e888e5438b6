"""How Django writes dates in lists and forms: with short months, for a row to hold its amounts."""
