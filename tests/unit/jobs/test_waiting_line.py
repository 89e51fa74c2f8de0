"""Which job is next, and frames in pieces."""

from __future__ import annotations

import random

from ecosystemiser.jobs.executors.frames import Frame, FrameReader, packed
from ecosystemiser.jobs.executors.waiting_line import WaitingLine, Work


def a_line(*names: str) -> tuple[WaitingLine, dict[str, Work]]:
    line = WaitingLine(deaths_alone=3)
    works = {name: Work(name, "m:f", b"") for name in names}
    for work in works.values():
        line.add(work)
    return line, works


def test_first_come_first_served() -> None:
    line, works = a_line("a", "b", "c")
    assert [line.next([]) for _ in range(4)] == [works["a"], works["b"], works["c"], None]


def test_a_suspect_waits_for_all_others_and_then_runs_alone() -> None:
    line, works = a_line("a", "b", "c")
    a, b = line.next([]), line.next([])
    assert a is not None
    assert b is not None
    assert line.take_back(a)
    assert (len(line), line.startable) == (2, 1)
    assert line.next([b]) is works["c"]
    assert line.next([b, works["c"]]) is None
    assert line.next([works["c"]]) is None
    assert line.next([]) is a
    line.add(Work("d", "m:f", b""))
    assert line.next([a]) is None  # nothing starts beside a suspect
    assert line.next([]) is not None


def test_suspects_run_one_at_a_time() -> None:
    line, works = a_line("a", "b")
    for name in ("a", "b"):
        taken = line.next([])
        assert taken is works[name]
        line.take_back(taken)
    assert line.startable == 1
    first = line.next([])
    assert first is works["a"]
    assert line.next([first]) is None
    assert line.next([]) is works["b"]


def test_three_deaths_alone_are_the_end() -> None:
    """The death in company does not count."""
    line, works = a_line("a")
    answers = []
    for _ in range(4):
        taken = line.next([])
        assert taken is works["a"]
        answers.append(line.take_back(taken))
    assert answers == [True, True, True, False]
    assert len(line) == 0


def test_work_that_had_not_begun_is_to_blame_for_nothing() -> None:
    """It goes back to where it belongs: to the end of the others, or to the suspects."""
    line, works = a_line("a", "b")
    taken = line.next([])
    assert taken is works["a"]
    line.put_back(taken)
    assert [line.next([]), line.next([])] == [works["b"], works["a"]]
    assert not works["a"].is_suspect
    assert line.take_back(works["a"])
    suspect = line.next([])
    assert suspect is works["a"]
    line.put_back(suspect)
    line.add(works["b"])
    assert [line.next([]), line.next([])] == [works["b"], works["a"]]
    assert works["a"].deaths_alone == 0


def test_blame_without_taking_back() -> None:
    """Where it is repeated by others: the first death in company, then so many as are allowed alone."""
    line, works = a_line("a")
    assert [line.blame(works["a"]) for _ in range(4)] == [True, True, True, False]
    assert works["a"].is_suspect


def test_jobs_can_be_dropped() -> None:
    line, works = a_line("a", "b", "c")
    suspect = line.next([])
    assert suspect is not None
    line.take_back(suspect)
    assert line.drop("a") is works["a"]
    assert line.drop("a") is None
    assert line.drop_all() == [works["b"], works["c"]]
    assert len(line) == 0


def test_frames_are_read_from_pieces_of_any_size() -> None:
    """Every frame comes out whole, in order, whatever the cuts."""
    chance = random.Random(1)  # noqa: S311 - no secret
    frames = [Frame(b"M", n, bytes(chance.randrange(256) for _ in range(chance.randrange(60)))) for n in range(200)]
    stream = b"".join(map(packed, frames))
    for longest in (1, 7, 100, len(stream)):
        reader, read, begin = FrameReader(), list[Frame](), 0
        while begin < len(stream):
            end = begin + chance.randint(1, longest)
            read += reader.feed(stream[begin:end])
            begin = end
        assert read == frames
