"""The steps that credit a hundredth to the throw-away account, and take it back."""

from __future__ import annotations

from provisioning.dialler.survey import keys
from provisioning.dialler.survey.surveyor import Finding, Surveyor

# 0.01 of a major unit, in ten-thousandths.
HUNDREDTH = 100
FAMILIES = ("User", "Client")


def try_credit(s: Surveyor) -> list[Finding]:
    """Credit 0.01 and look which amount rises by it: that one is the balance.

    Where none does, crediting is left to people: a payment nobody can see cannot be settled when
    its answer is lost.
    """
    names = s.draft.mapping["credit"]
    tried: list[Finding] = []
    for method, id_arg in _methods(s):
        names["method"], names["id_arg"] = method, id_arg
        rose, yes = _pay(s, "0.01", HUNDREDTH)
        if rose:
            s.draft.name_key("balance", _likeliest(rose, s.draft.key("balance")))
            s.draft.can("credit", True)
            s.draft.can("read_balance", True)
            worked = [
                Finding("works", method),
                Finding("works", f"balance: {s.draft.key('balance')}"),
            ]
            return [*tried, *worked]
        if yes:
            s.draft.name_key("balance", "")
            s.draft.can("credit", False)
            s.draft.can("read_balance", False)
            return [*tried, Finding("unseen", method)]
        tried.append(Finding("missing", method))
    names["method"] = ""
    for capability in ("credit", "debit", "read_balance"):
        s.draft.can(capability, False)
    return tried


def try_debit(s: Surveyor) -> list[Finding]:
    """Take the hundredth back by a negative payment, where the balance shows it."""
    method, balance = s.draft.mapping["credit"]["method"], s.draft.key("balance")
    able = False
    if method and balance:
        fallen, _ = _pay(s, "-0.01", -HUNDREDTH)
        able = balance in fallen
    s.draft.can("debit", able)
    return [Finding("works" if able else "missing", f"{method} -0.01".strip())]


def _pay(s: Surveyor, amount: str, by: int) -> tuple[list[str], bool]:
    """Pay so much; return the amounts that changed by it, and whether the server said yes."""
    names = s.draft.mapping["credit"]
    before = keys.amounts(s.read(), s.currency)
    arguments = {
        **names["fixed_args"],
        names["id_arg"]: s.draft.remote_id,
        names["amount_arg"]: amount,
        names["reference_arg"]: "survey",
    }
    said = s.api.ask(names["method"], {key: value for key, value in arguments.items() if key})
    return keys.risen(before, keys.amounts(s.read(), s.currency), by), said.yes


def _methods(s: Surveyor) -> list[tuple[str, str]]:
    """Return the methods to try with their argument of the id: the draft's own first."""
    own = s.draft.mapping["credit"]
    named = [(own["method"], own["id_arg"])] if own["method"] else []
    families = dict.fromkeys((s.draft.family, *FAMILIES))
    guessed = [(f"{each}_Payment_Create", f"{each.lower()}_id") for each in families]
    return list(dict.fromkeys([*named, *guessed]))


def _likeliest(paths: list[str], named: str) -> str:
    """Return the path that is named so far, else one that sounds like a balance, else the first."""
    telling = [
        path for path in paths if any(word in path.lower() for word in ("balance", "credit"))
    ]
    return named if named in paths else [*telling, *paths][0]
