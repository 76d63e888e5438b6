"""States move only along their tables, and each move leaves a row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import transaction
from django.forms.models import model_to_dict
from pytest_django import DjangoAssertNumQueries

from billing.models import Run
from packages import states
from packages.states import (
    IllegalMove,
    StateChange,
    Stateful,
    history_of,
    insert_unless_known,
    record_change,
)
from provisioning.models import Job
from tests.guards import rows


def machines() -> list[type[Stateful]]:
    """Return every model with states."""
    return [model for model in apps.get_models() if issubclass(model, Stateful)]


def states_of(model: type[Stateful]) -> set[str]:
    choices: Iterable[tuple[str, object]] = model._meta.get_field("state").choices or ()
    return {str(value) for value, _ in choices}


@pytest.mark.parametrize("model", machines(), ids=lambda model: model.__name__)
def test_a_table_of_moves_speaks_only_of_its_states(model: type[Stateful]) -> None:
    mentioned = set(model.MOVES) | {to for targets in model.MOVES.values() for to in targets}
    assert mentioned == states_of(model)


@pytest.mark.parametrize("model", machines(), ids=lambda model: model.__name__)
def test_every_state_can_be_reached(model: type[Stateful]) -> None:
    first = getattr(model, "FIRST", (model._meta.get_field("state").default,))
    reached = fresh = {str(state) for state in first}
    while fresh:
        fresh = {str(to) for state in fresh for to in model.MOVES.get(state, ())} - reached
        reached |= fresh
    assert reached == states_of(model)


@pytest.mark.django_db
def test_a_move_leaves_who_when_and_why() -> None:
    job = a_job()
    job.move(Job.State.DONE, at=rows.AT, actor="system:runner", reason="done")
    change = history_of(job).get()
    assert (change.before, change.after) == ("running", "done")
    assert (change.actor, change.reason, change.at) == ("system:runner", "done", rows.AT)
    assert Job.objects.get(pk=job.pk).state == Job.State.DONE


@pytest.mark.django_db
def test_many_are_inserted_and_moved_with_their_history_in_one_statement_each(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    account = a_job().account
    new = [
        Job(
            account=account,
            kind=Job.Kind.SUSPEND,
            cause=f'"{number}\\ä',
            seq=number,
            details={"why": None, "word": "a\nb"},
            created_at=rows.AT,
            run_at=rows.AT + timedelta(days=number),
        )
        for number in (11, 12, 13)
    ]
    with django_assert_num_queries(1):
        made = states.insert(new, at=rows.AT, actor="test", reason="asked")
    for job in made:
        job.reason = f"not wanted {job.seq}"
    with django_assert_num_queries(1):
        cancelled = Job.State.CANCELLED
        also = ("reason",)
        states.move(made, cancelled, at=rows.AT, actor="test", reason="called off", also=also)
    for job, stored in zip(made, Job.objects.filter(seq__gt=10).order_by("seq"), strict=True):
        assert model_to_dict(stored) == model_to_dict(job)
        assert (stored.state, stored.reason) == ("cancelled", f"not wanted {job.seq}")
        steps = history_of(job).values_list("before", "after", "actor", "reason", "at")
        assert list(steps) == [
            ("", "waiting", "test", "asked", rows.AT),
            ("waiting", "cancelled", "test", "called off", rows.AT),
        ]


@pytest.mark.django_db
def test_what_is_known_is_not_inserted_again(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    first, second = (Run(on=rows.ON, started_at=rows.AT) for _ in range(2))
    with django_assert_num_queries(1):
        assert insert_unless_known(first, at=rows.AT, actor="test", reason="new")
    with django_assert_num_queries(1):
        assert not insert_unless_known(second, at=rows.AT, actor="test", reason="new")
    assert Run.objects.get() == first
    assert not second.pk
    assert [each.reason for each in history_of(first)] == ["new"]


@pytest.mark.django_db
def test_a_row_moves_if_nobody_has_changed_it_meanwhile(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    job, other = a_job(), Job.objects.get()
    Job.objects.update(fence=job.fence + 1)
    job.reason = "nothing of this"
    with django_assert_num_queries(1):
        assert not job.move_if_still(
            "fence", to=Job.State.DONE, at=rows.AT, actor="test", reason="done", also=("reason",)
        )
    assert model_to_dict(Job.objects.get()) == {**model_to_dict(other), "fence": job.fence + 1}
    assert not history_of(job).exists()
    job, other = Job.objects.get(), Job.objects.get()
    done = Job.State.DONE
    assert job.move_if_still("fence", to=done, at=rows.AT, actor="test", reason="done")
    assert not other.move_if_still("fence", to=done, at=rows.AT, actor="test", reason="again")
    assert [each.reason for each in history_of(job)] == ["done"]


@pytest.mark.django_db
def test_of_many_one_that_may_not_move_holds_them_all() -> None:
    job = a_job()
    done = Job(pk=job.pk + 1, account=job.account, state=Job.State.DONE)
    with pytest.raises(IllegalMove):
        states.move([job, done], Job.State.DONE, at=rows.AT, actor="test", reason="done")
    assert (job.state, Job.objects.get(pk=job.pk).state) == ("running", "running")
    assert not history_of(job).exists()


@pytest.mark.django_db
def test_a_move_that_the_table_lacks_changes_nothing() -> None:
    job = a_job()
    job.move(Job.State.DONE, at=rows.AT, actor="test", reason="done")
    with pytest.raises(IllegalMove):
        job.move(Job.State.WAITING, at=rows.AT, actor="test", reason="again")
    assert Job.objects.get(pk=job.pk).state == Job.State.DONE
    assert history_of(job).count() == 1


@pytest.mark.django_db
def test_a_move_saves_only_what_it_names() -> None:
    job = a_job()
    job.tries, job.reason = 7, "kept in memory"
    job.move(Job.State.DONE, at=rows.AT, actor="test", reason="done", also=("reason",))
    stored = Job.objects.get(pk=job.pk)
    assert (stored.tries, stored.reason) == (0, "kept in memory")


@pytest.mark.django_db
def test_a_rolled_back_move_leaves_no_history() -> None:
    job = a_job()
    with transaction.atomic():
        job.move(Job.State.DONE, at=rows.AT, actor="test", reason="done")
        transaction.set_rollback(True)
    assert not history_of(job).exists()


@pytest.mark.django_db
def test_the_first_state_has_no_before() -> None:
    job = a_job()
    record_change(job, before="", at=rows.AT, actor="a" * 200, reason="r" * 900)
    change = StateChange.objects.get(subject="job")
    assert (change.before, len(change.actor), len(change.reason)) == ("", 80, 300)


def a_job() -> Job:
    return Job.objects.get(pk=rows.make()["job"].pk)
