"""What is wrong with a filter is told all at once, with its place and what to do."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.store.filtering.cases import COST, FIELDS, STATUS, fill, new_engine, statement

from ecosystemiser.errors import InputError
from ecosystemiser.store.filtering.fields import Field
from ecosystemiser.store.filtering.parsing import (
    LONGEST_TEXT,
    MOST_CONDITIONS,
    MOST_NESTED,
    MOST_TURNS,
    parse,
)
from ecosystemiser.store.filtering.places import MOST_FINDINGS


def findings_of(text, fields=FIELDS):
    with pytest.raises(InputError) as caught:
        parse(text, fields)
    return caught.value.findings


def said(text):
    """All findings without the excerpts below them."""
    return [str(finding).partition("\n")[0] for finding in findings_of(text)]


@pytest.mark.parametrize(
    ("text", "character", "words"),
    [
        ("total_cst < 5", 1, "did you mean 'total_cost'?"),
        ("battery.capacity_kwh < 5", 1, "write params.battery.capacity_kwh"),
        ("params < 5", 1, "'params' is nothing that can be asked for"),
        ("zzzzzz < 5", 1, "these can be asked for: cost,"),
        ("5 > total_cst", 5, "did you mean 'total_cost'?"),
        ("status = 'complted'", 10, "did you mean 'completed'?"),
        ("status = 'xyz'", 10, "use one of running, completed, failed, cancelled"),
        ("status in ('failed', 'complted')", 22, "did you mean 'completed'?"),
        ("cost < '20000'", 8, "write it without quotes: 20000"),
        ("cost < 'much'", 8, "'much' is text, and total_cost is a number"),
        ("cost < true", 8, "'true' is true or false, and total_cost is a number"),
        ("solver_type = 40", 15, "put it into single quotes: '40'"),
        ("solver_type = hybrid", 15, "put text into single quotes: 'hybrid'"),
        ('solver_type = "hybrid"', 15, "put text into single quotes: 'hybrid'"),
        ("cost < steps", 8, "'steps' is a name where a value belongs; give a number"),
        ("params.a = air", 12, "put text into single quotes: 'air'"),
        ("params.a in (1, 'a')", 17, "'a' is text beside a number"),
        ("params.a between 1 and 'a'", 24, "'a' is text beside a number"),
        ("params.a < true", 12, "'true' has no order"),
        ("pinned = 1", 10, "give true or false"),
        ("pinned > true", 8, "'>' puts in order, and pinned is true or false"),
        ("pinned between false and true", 8, "use = or !="),
        ("timestamp > 5", 13, "give ISO text in quotes"),
        ("timestamp > 2026-11-01", 13, "put times into quotes: '2026-11-01'"),
        ("timestamp > '2026-13-01'", 13, "'2026-13-01' is not a time"),
        ("timestamp > '0001-01-01T00:00+14:00'", 13, "is not a time"),
        ("timestamp like '2026%'", 11, "use >= and <"),
        ("cost like '1%'", 6, "'like' asks for text, and total_cost is none"),
        ("tag < 'a'", 5, "'<' cannot be asked of tag, which has several values"),
        ("tag not between 'a' and 'b'", 9, "use =, !=, IN or LIKE"),
        ("'a' < tag", 5, "'<' cannot be asked of tag"),
        (r"solver_type like 'C:\temp'", 18, r"write \\ for a backslash itself"),
        ("solver_type like 'a\\'", 18, "backslash"),
        ("solver_type like 5", 18, "'5' is no pattern"),
        ("cost <", 7, "The text ends where a value belongs"),
        ("cost < and steps = 1", 8, "'and' stands where a value belongs"),
        ("cost", 5, "The text ends where a comparison with cost belongs"),
        ("cost 5", 6, "'5' stands where a comparison with cost belongs"),
        ("5", 2, "The text ends where a comparison with 5 belongs"),
        ("5 < 6", 5, "'6' stands where a name belongs"),
        ("< 5", 1, "'<' stands where a condition belongs"),
        ("cost not 5", 10, "write NOT IN, NOT BETWEEN or NOT LIKE"),
        ("cost is 5", 9, "write IS NULL or IS NOT NULL"),
        ("cost = null", 8, "'null' is no value, and equals nothing; write IS NULL"),
        ("cost between 5", 15, "The text ends where AND belongs"),
        ("cost in 5", 9, "'5' stands where the list of IN belongs"),
        ("cost in ()", 10, "')' stands where a value belongs"),
        ("cost in (1 2)", 12, "'2' stands where the rest of the list of IN belongs"),
        ("cost in (1,", 12, "The text ends where a value belongs"),
        ("cost < 5 < 6", 10, "join two comparisons with AND"),
        ("cost < 5 steps = 6", 10, "'steps' stands where AND or OR belongs"),
        ("cost < 20,000", 10, "write numbers without it"),
        ("cost < 20k", 8, "'20k' is not a number"),
        ("cost < 1e999", 8, "'1e999' is too large for a number"),
        ("cost < 5 and", 13, "The text ends where a condition belongs"),
        ("and cost < 5", 1, "'and' stands where a condition belongs"),
        ("not", 4, "The text ends where a condition belongs"),
        ("()", 2, "')' stands where a condition belongs"),
        ("(cost < 5", 1, "'(' is never closed"),
        ("cost < 5)", 9, "')' closes nothing"),
        ("solver_type = 'abc", 15, "opens text that never ends"),
        ('params."abc = 5', 1, "begins a name that never ends"),
        ('params."" = 5', 1, "has an empty part"),
        ("params..a < 5", 1, "'params..a' has an empty part"),
        ('params."a." < 5', 1, "has an empty part"),
        ("cost ≤ 5", 6, "write <="),
        ("solver_type = \u2018hybrid\u2019", 15, "write text between straight ones"),
        ("cost < 5;", 9, "write one condition, without ;"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_a_remedy(text, character, words):
    first = said(text)[0]
    assert first.startswith(f"filter, character {character}: ")
    assert words in first


def test_everything_wrong_is_told_in_the_order_of_the_text():
    assert said("total_cst < 5 and status = 'complted' or (cost < '2' and 20k > steps") == [
        "filter, character 1: 'total_cst' is nothing that can be asked for; did you mean 'total_cost'?",
        "filter, character 28: 'complted' is no simulation_status; did you mean 'completed'?",
        "filter, character 42: '(' is never closed; close it with )",
        "filter, character 50: '2' is text, and total_cost is a number; write it without quotes: 2",
        "filter, character 58: '20k' is not a number; write it as 40, -0.5 or 1.2e6",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "cost in () and steps = 1",
        "(cost in (1 2) or steps = 1) and steps = 2",
        "cost between 1 or steps = 2",
        "cost in ((1), (2)) and steps = 1",
        "solver_type = \u2018a b\u2019 and steps = 1",
        "params..a = 1 and steps = 1",
        "cost = !5 and steps = 1",
    ],
)
def test_one_mistake_is_told_once(text):
    assert len(findings_of(text)) == 1


def test_a_caret_stands_below_the_mistake():
    (finding,) = findings_of("steps = 1 and status = 'complted'")
    assert str(finding).splitlines()[1:] == [
        "    steps = 1 and status = 'complted'",
        "                           ^^^^^^^^^^",
    ]


def test_of_a_long_text_the_part_around_the_mistake_is_shown():
    (finding,) = findings_of(" and ".join(["steps = 1"] * 20) + " and cots < 5 and " + " and ".join(["steps = 1"] * 20))
    line, carets = str(finding).splitlines()[1:]
    assert line.startswith("    …")
    assert line.endswith("…")
    assert line[carets.index("^") : carets.rindex("^") + 1] == "cots"
    assert len(line) <= 80


def test_a_caret_stands_right_below_wide_letters_and_control_characters_are_not_shown():
    (finding,) = findings_of("solver_type = '日本e\u0301\x1b\n' and cots < 5")
    line, carets = str(finding).splitlines()[1:]
    assert line == "    solver_type = '日本e\u0301  ' and cots < 5"
    assert carets.index("^") == line.index("cots") + 2 - 1


def test_only_so_many_mistakes_are_told():
    findings = findings_of(" or ".join(["cots < 5"] * 30))
    assert len(findings) == MOST_FINDINGS + 1
    assert "10 more" in str(findings[-1])


def test_without_a_family_an_unknown_parameter_is_told():
    known = (COST, Field("params.battery.capacity_kwh", "number", "kWh", "size"))
    (finding,) = findings_of("params.battery.capacity_kw > 3", known)
    assert "did you mean 'params.battery.capacity_kwh'?" in str(finding)


@pytest.mark.parametrize("text", ["", " \n"])
def test_no_condition_at_all_is_a_mistake(text):
    assert "is empty" in said(text)[0]


@pytest.mark.parametrize("text", ["cost < 5\0", "solver_type = 'a\0'", 'params."\0" = 1'])
def test_a_nul_is_refused(text):
    assert "NUL at character" in said(text)[0]


def test_what_is_no_unicode_is_refused():
    assert "no Unicode at character 16" in said("solver_type = '\ud800'")[0]


# Limits


def test_the_length_is_limited():
    assert parse("steps = 1".ljust(LONGEST_TEXT), FIELDS)
    assert "10,001 characters" in said("steps = 1".ljust(LONGEST_TEXT + 1))[0]


def test_the_canonical_text_of_what_is_taken_can_be_taken():
    text = "steps in (" + ",".join(["9e17"] * 900) + ")"
    assert len(text) < LONGEST_TEXT
    assert "with full names and times" in said(text)[0]


@pytest.mark.parametrize("opening", ["(", "not ", "not ("])
def test_nesting_is_limited(opening):
    def nested(depth):
        times = depth // (2 if opening == "not (" else 1)
        return opening * times + "steps = 1" + ")" * (opening.count("(") * times)

    assert parse(nested(MOST_NESTED), FIELDS)
    assert f"nest {MOST_NESTED} at most" in said(nested(MOST_NESTED + 2))[0]


def turning(levels):
    """AND within OR within AND ..., each in parentheses."""
    text = "steps = 1"
    for level in range(levels):
        text = f"({text} {'and' if level % 2 else 'or'} steps = {level})"
    return text


def test_turns_between_and_and_or_are_limited():
    assert parse(turning(MOST_TURNS), FIELDS)
    assert "51 levels of AND within OR" in said(turning(MOST_TURNS + 1))[0]


def test_conditions_are_limited():
    chain = " or ".join(["steps=1"] * MOST_CONDITIONS)
    assert len(parse(chain, FIELDS).terms) == MOST_CONDITIONS
    assert "'steps' begins condition 201" in said(f"{chain} or steps=1")[0]


def test_a_list_is_limited():
    assert len(parse(f"steps in ({','.join(['1'] * 1_000)})", FIELDS).values) == 1_000
    assert said(f"steps in ({','.join(['1'] * 1_002)})") == [
        "filter, character 2011: '1' is value 1,001 of the list; give 1,000 at most"
    ]


# Whatever is given, there is an answer.

PIECES = st.sampled_from(
    [
        *("cost", "status", "params.a", "tag", "pinned", "timestamp", "nobody", 'params."b c"', '"', "'"),
        *("1", "-2.5e3", "20k", "'a'", "'failed'", "'2026-11-01'", "true", "null", "''", "'x;--'"),
        *("<", "=", "!=", "<>", ">=", "and", "or", "not", "in", "between", "like", "is", "(", ")", ",", ";", "!", "."),
    ]
)


def answered(text):
    try:
        tree = parse(text, FIELDS)
    except InputError as error:
        refused = error
    else:
        assert parse(str(tree), FIELDS) == tree
        return
    assert refused.findings
    assert all(line.isprintable() for line in str(refused).split("\n"))


@settings(max_examples=250)
@given(st.lists(PIECES, max_size=14).map(" ".join))
def test_any_pieces_get_a_tree_or_findings(text):
    answered(text)


@settings(max_examples=150)
@given(st.text(max_size=60))
@example("\ud800")
@example("cost < \u0661")
@example("1" * 5000)
def test_any_text_gets_a_tree_or_findings(text):
    answered(text)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["(", "not ", "not (", "cost=1 and (", "cost=1 or not(", "cost in (", "(((((", "'", '"', ")"]),
    st.integers(1, 3000),
    st.sampled_from(["", "cost=1", "cost=1)", "1"]),
)
def test_any_depth_gets_a_tree_or_findings(piece, times, end):
    answered((piece * times)[:LONGEST_TEXT] + end)


# Injection


@pytest.mark.parametrize(
    "value", ["'; DROP TABLE runs; --", "x' OR '1'='1", '" OR 1=1', "\\'; DELETE FROM runs", ":name ? %s %(a)s"]
)
def test_a_hostile_text_is_only_compared(value):
    engine = new_engine()
    quoted = value.replace("'", "''")
    with engine.begin() as connection:
        fill(connection, [{"solver_type": value, "params": {value.replace(".", ""): 1.0}}, {"solver_type": "b"}])
        name = value.replace('"', '""').replace(".", "")
        for text in (
            f"solver_type = '{quoted}'",
            f"solver_type in ('{quoted}')",
            f"solver_type between '{quoted}' and '{quoted}'",
            "solver_type like '" + quoted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "'",
            f'params."{name}" = 1',
        ):
            query = statement(text)
            assert value not in str(query)
            assert list(connection.scalars(query)) == [0], text


@pytest.mark.parametrize(
    "text",
    [
        "cost < 5; DROP TABLE runs",
        "cost < 5 -- and",
        "cost < 5 /* */",
        "cost < (select 5)",
        "lower(cost) = 5",
        "cost < 5 union select 1",
        '"id"" or 1=1" = 1',
        "id = 1",
        "runs.total_cost < 5",
    ],
)
def test_sql_that_is_no_filter_is_refused(text):
    assert findings_of(text)


def test_words_are_those_of_the_field_that_an_alias_stands_for():
    assert "did you mean 'failed'?" in str(findings_of("status = 'faild'", (STATUS, STATUS.alias("status")))[0])
