"""The examples in `wording` and in what builds on it are true."""

import doctest

import pytest

from ecosystemiser import wording
from ecosystemiser.charts import numbers, tokens


@pytest.mark.parametrize("module", [wording, numbers, tokens])
def test_its_examples_are_true(module: object) -> None:
    found = doctest.testmod(module)  # type: ignore[arg-type]
    assert found.attempted > 0
    assert found.failed == 0
