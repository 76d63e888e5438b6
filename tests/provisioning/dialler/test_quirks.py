"""What real servers were seen to do, each with the tests that meet it over HTTP.

The list is that of docs/dialler-api.md and of the vendor's own clients; what had no test has one
below.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from packages.money import Money
from provisioning.dialler.base import DiallerError, Misconfigured, NotSent, Refused, Unknown
from provisioning.dialler.http import HttpDialler
from provisioning.simulator import Simulator
from tests import source
from tests.provisioning.dialler.certificates import self_signed
from tests.provisioning.dialler.conftest import Connect, endpoint, spec
from tests.provisioning.dialler.raw import RawServer, http

TRANSPORT, REPLIES, OPERATIONS, FAULTS = (
    f"test_{name}.py" for name in ("transport", "replies", "operations", "faults")
)
HERE = "test_quirks.py"
QUIRKS: dict[str, tuple[str, str]] = {
    # Who asks.
    "all three logins, on both generations": (
        OPERATIONS,
        "test_every_login_is_taken_by_both_generations",
    ),
    "HTTP Basic is never accepted, so it is never sent": (
        TRANSPORT,
        "test_a_token_travels_in_the_header_alone",
    ),
    "a wrong password": (OPERATIONS, "test_a_wrong_password_needs_a_person"),
    "a token that has ended": (OPERATIONS, "test_an_ended_token_needs_a_person"),
    "our own login is suspended meanwhile": (HERE, "test_our_login_is_suspended_meanwhile"),
    "a login without the right": (OPERATIONS, "test_a_login_without_rights_is_refused"),
    # How it is asked.
    "form fields, a JSON object in one of them": (
        TRANSPORT,
        "test_a_call_is_one_post_of_form_fields_on_a_connection_of_its_own",
    ),
    "a certificate of its own": (TRANSPORT, "test_a_certificate_the_operator_trusts_is_accepted"),
    "a certificate nobody vouches for": (
        TRANSPORT,
        "test_a_certificate_nobody_vouches_for_is_not_sent",
    ),
    "a certificate that has expired": (HERE, "test_an_expired_certificate_is_not_sent"),
    "a redirect that would make a GET of a POST": (TRANSPORT, "test_a_redirect_is_not_followed"),
    # A yes.
    "[true, payload], [true], true": (REPLIES, "test_clear_yes"),
    "the whole answer as JSON in a string": (REPLIES, "test_clear_yes"),
    "the payload as JSON in a string": (REPLIES, "test_the_account_is_read_from_every_shape"),
    "notices, white space or a BOM before the JSON": (REPLIES, "test_clear_yes"),
    "another Content-Type than that of the answer": (
        HERE,
        "test_the_content_type_is_not_believed",
    ),
    "the new id as object, scalar, string or not at all": (
        OPERATIONS,
        "test_the_new_id_is_taken_from_every_shape",
    ),
    "user_id, usr_id, client_id or id; text or number": (
        OPERATIONS,
        "test_ids_are_read_under_every_key_as_text_or_number",
    ),
    "numbers and truth values as text": (FAULTS, "test_a_quirk_is_tolerated"),
    "a bare boolean on delete": (OPERATIONS, "test_a_deleted_account_is_gone"),
    "a yes that changed nothing": (FAULTS, "test_a_yes_that_changed_nothing_is_found_out"),
    # A no.
    "[false, reason], [false, null], [false]": (REPLIES, "test_clear_no"),
    "a name that is taken: refused": (OPERATIONS, "test_a_taken_name_is_refused"),
    "a name that is taken: a database error": (
        OPERATIONS,
        "test_a_taken_name_may_be_a_database_error_and_so_unclear",
    ),
    "an e-mail address that is taken": (HERE, "test_an_email_that_is_taken"),
    "401 and 405": (REPLIES, "test_the_status_comes_before_the_body"),
    # Neither.
    "an error object, with 500 or with 200": (
        FAULTS,
        "test_an_unclear_answer_is_unknown_whether_it_had_its_effect_or_not",
    ),
    "a method that has moved": (
        OPERATIONS,
        "test_a_moved_method_is_unclear_because_an_error_may_follow_the_effect",
    ),
    "HTML, plain text, nothing, half of it": (REPLIES, "test_anything_else_proves_nothing"),
    "a time-out before and after the effect, and a slow drip": (
        FAULTS,
        "test_an_answer_that_takes_too_long_is_unknown_in_time",
    ),
    "a reset connection": (
        FAULTS,
        "test_an_unclear_answer_is_unknown_whether_it_had_its_effect_or_not",
    ),
    "a server that is down": (FAULTS, "test_a_server_that_is_down_was_not_sent_anything"),
    "an answer that never ends": (
        FAULTS,
        "test_an_unclear_answer_is_unknown_whether_it_had_its_effect_or_not",
    ),
    "a list that fails though it is documented": (HERE, "test_a_list_that_fails_is_no_empty_list"),
    # Accounts.
    "every way to say not there": (OPERATIONS, "test_every_way_to_say_not_there"),
    "names that MySQL holds for the same": (
        REPLIES,
        "test_a_name_that_mysql_takes_for_ours_is_returned_as_it_is",
    ),
    "an update that resets what it does not carry": (
        OPERATIONS,
        "test_an_update_resets_nothing_even_where_the_server_would",
    ),
    "no balance": (OPERATIONS, "test_a_hidden_balance_is_unknown"),
    "a balance that cannot be read": (
        REPLIES,
        "test_an_unreadable_balance_is_unknown_and_not_zero",
    ),
    "a balance that moves while it is read": (HERE, "test_a_balance_that_moves_is_read_as_it_is"),
    "campaigns that cannot be read": (
        OPERATIONS,
        "test_campaigns_that_cannot_be_read_are_unknown",
    ),
}


@pytest.mark.parametrize("quirk", QUIRKS)
def test_every_quirk_has_its_test(quirk: str) -> None:
    module, name = QUIRKS[quirk]
    assert name in {each.name for each in source.functions(Path(__file__).with_name(module))}


def test_our_login_is_suspended_meanwhile(
    dialler: HttpDialler, connect: Connect, simulator: Simulator, profile: str
) -> None:
    """A login of ours that is an account itself stops being taken, with every variant alike."""
    own = dialler.create(spec("billing"), password="S3cret!1", marker="m")
    dialler.set_active(own or "", active=False)
    for auth in ("form", "form_legacy"):
        suspended = connect(profile, auth=auth, username="billing", secret="S3cret!1")
        with pytest.raises(Misconfigured):
            suspended.check()
    with pytest.raises(Misconfigured):
        connect(profile, auth="bearer", secret=simulator.token("billing")).check()


def test_an_expired_certificate_is_not_sent(tmp_path: Path) -> None:
    context, ca_file = self_signed(tmp_path, age=timedelta(days=400))
    with RawServer(http(b"[true, 1]"), context) as server, pytest.raises(NotSent):
        HttpDialler(endpoint(server.url, ca_file=ca_file)).check()
    assert server.requests == []


@pytest.mark.parametrize("kind", ["text/html", "application/json", "image/png", "nonsense"])
def test_the_content_type_is_not_believed(kind: str) -> None:
    answer = http(b"[true, 1]", "200 OK", f"Content-Type: {kind}; charset=latin1")
    with RawServer(answer) as server:
        HttpDialler(endpoint(server.url)).credit("41", Money(1, "EUR"), reference="r")


@pytest.mark.parametrize(("duplicates", "error"), [("refused", Refused), ("error", Unknown)])
def test_an_email_that_is_taken(
    dialler: HttpDialler, simulator: Simulator, duplicates: str, error: type[DiallerError]
) -> None:
    simulator.switch(unique_email=True, duplicates=duplicates)
    dialler.create(spec("one"), password="S3cret!1", marker="1")
    with pytest.raises(error):
        dialler.create(spec("two"), password="S3cret!1", marker="2")
    assert dialler.find("two") is None


@pytest.mark.parametrize("answer", ["errorcode_200", "errorcode_500", "500", "html", "truncated"])
def test_a_list_that_fails_is_no_empty_list(
    dialler: HttpDialler, simulator: Simulator, answer: str
) -> None:
    simulator.faults.add("*", answer=answer)
    with pytest.raises(Unknown):
        dialler.list_accounts()


def test_a_balance_that_moves_is_read_as_it_is(dialler: HttpDialler, simulator: Simulator) -> None:
    remote_id = dialler.create(spec(), password="S3cret!1", marker="m") or ""
    dialler.credit(remote_id, Money(2500, "EUR"), reference="r")
    seen = []
    for amount in ("0.01", "4.99", "20.00"):
        simulator.burn("nc-7", amount)
        account = dialler.get(remote_id)
        assert account is not None
        seen.append(account.balance_minor)
    assert seen == [2499, 2000, 0]
