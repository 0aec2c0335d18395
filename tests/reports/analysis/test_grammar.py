"""Claims as text: what parses, into what, and what every wrong one is told."""

import pytest

from reports.analysis.claims import parse_claims
from reports.analysis.grammar import LevelFilter, Statement, parse_says, parse_where
from search_spaces.errors import SettingError

FACTORS = {
    "depth": (20, 56, 110),
    "variant": ("plain", "original", "preact", "BN after addition"),
    "shortcut": ("identity", "scale(0.5, 0.5)", "none"),
    "training.lr": (0.1, 0.05),
    "width": (8, 16, 20),
    "gated": (True, False),
}


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("preact < original", Statement("<", {"variant": "preact"}, {"variant": "original"})),
        ("plain>original", Statement(">", {"variant": "plain"}, {"variant": "original"})),
        ("variant=plain fails", Statement("fails", {"variant": "plain"})),
        ("plain fails", Statement("fails", {"variant": "plain"})),
        ("56 < 110", Statement("<", {"depth": 56}, {"depth": 110})),
        ("depth=110 > 56", Statement(">", {"depth": 110}, {"depth": 56})),
        ("original == 6.61", Statement("==", {"variant": "original"}, value=6.61)),
        ("original @ depth=110 == 6.61", Statement("==", {"variant": "original", "depth": 110}, value=6.61)),
        ("original @ depth == 110 == 6.61", Statement("==", {"variant": "original", "depth": 110}, value=6.61)),
        (
            "plain and depth=110 > depth=56",
            Statement(">", {"depth": 110, "variant": "plain"}, {"variant": "plain", "depth": 56}),
        ),
        (
            "scale(0.5, 0.5) > identity",
            Statement(">", {"shortcut": "scale(0.5, 0.5)"}, {"shortcut": "identity"}),
        ),
        (
            "BN after addition > 'original'",
            Statement(">", {"variant": "BN after addition"}, {"variant": "original"}),
        ),
        ("training.lr=0.10 < training.lr=5e-2", Statement("<", {"training.lr": 0.1}, {"training.lr": 0.05})),
        ("gated=true < gated=false", Statement("<", {"gated": True}, {"gated": False})),
        (
            "effect(preact, original) increases with depth",
            Statement("increases", {"variant": "preact"}, {"variant": "original"}, along="depth"),
        ),
        (
            "effect(preact @ width=8, original) decreases with depth",
            Statement(
                "decreases", {"variant": "preact", "width": 8}, {"width": 8, "variant": "original"}, along="depth"
            ),
        ),
    ],
)
def test_sentences(text, statement):
    assert parse_says(text, FACTORS) == statement


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", 1, "ends where a level, or factor=level, should stand"),
        ("preact", 7, 'ends where "<", ">", "==" or "fails" should stand'),
        ("preakt < original", 1, 'unknown level "preakt": did you mean "preact"?'),
        ("preact < orignal", 10, 'did you mean "original"?'),
        ("preact <= original", 8, '"<" should stand here, not "<=": `by` says by how much'),
        ("preact = original", 8, '"==" should stand here'),
        ("preact beats original", 8, '"<", ">", "==" or "fails" should stand here, not "beats"'),
        ("preact < original < plain", 19, 'nothing may follow here, yet there is "<"'),
        ("preact fails badly", 14, 'nothing may follow here, yet there is "badly"'),
        ("preact < preact", 10, "both sides name the same arms"),
        ("depth > 56", 1, '"depth" is a factor: name a level of it, for instance depth=20'),
        ("depth=21 > depth=56", 7, 'unknown level of depth "21": known: 20, 56, 110'),
        ("dept=20 > depth=56", 1, 'unknown factor "dept": did you mean "depth"?'),
        ("20 > 56", 1, '"20" is a level of depth and of width: write depth=20 or width=20'),
        ("preact and plain < original", 12, "variant is preact already"),
        ("effect(preact original) increases with depth", 15, '"," and the second arm of the effect should stand here'),
        ("effect(preact, original) grows with depth", 26, '"increases" or "decreases" should stand here, not "grows"'),
        ("effect(preact, original) increases with variant", 41, "an effect can only grow along numbers"),
        ("effect(preact, original) increases with deph", 41, 'unknown factor "deph": did you mean "depth"?'),
        ("effect(depth=20, depth=56) increases with depth", 43, "the effect already fixes depth"),
        ("preact < ! original", 10, '"!" has no meaning here'),
        ("preact < = original", 10, 'a level, or factor=level, should stand here, not "="'),
    ],
)
def test_wrong_sentences_name_the_position_and_what_would_be_right(text, place, words):
    with pytest.raises(SettingError) as error:
        parse_says(text, FACTORS)
    assert error.value.message.startswith(f'at position {place} of "{text}": ')
    assert words in error.value.message
    assert error.value.key == ("says",)


def test_where_is_a_conjunction():
    found = parse_where("depth >= 56 and variant != plain, training.lr == 0.1", FACTORS)
    assert found == (
        LevelFilter("depth", ">=", 56),
        LevelFilter("variant", "!=", "plain"),
        LevelFilter("training.lr", "==", 0.1),
    )
    assert [level for level in FACTORS["depth"] if found[0].holds(level)] == [56, 110]
    assert [level for level in FACTORS["variant"] if found[1].holds(level)] == list(FACTORS["variant"][1:])


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("dpeth >= 110", 1, 'did you mean "depth"?'),
        ("depth 110", 7, "should stand here"),
        ("variant > plain", 9, 'the levels of variant are names: use "==" or "!="'),
        ("depth == 111", 10, 'unknown level of depth "111": did you mean "110"?'),
        ("depth > deep", 9, 'a number should stand here, not "deep"'),
        ("depth > 20 or depth < 5", 12, "nothing may follow here"),
        ("depth >", 8, "ends where a number should stand"),
    ],
)
def test_wrong_conditions(text, place, words):
    with pytest.raises(SettingError) as error:
        parse_where(text, FACTORS)
    assert f"at position {place} of" in error.value.message
    assert words in error.value.message


def test_the_claims_of_the_contract_parse():
    factors = {"depth": (20, 56, 110), "variant": ("plain", "original", "preact")}
    claims = parse_claims(
        [
            {"id": "plain-degrades", "says": "plain fails", "where": "depth == 110"},
            {"id": "preact-better", "says": "preact < original", "where": "depth >= 110", "by": 0.5},
        ],
        factors,
    )
    assert [claim.margin for claim in claims] == [0.5, 0.5]
    assert list(claims[1].contexts({"depth": (20, 56, 110), "variant": ("plain", "original", "preact")})) == [
        {"depth": 110}
    ]


GOOD = {"id": "x", "says": "preact < original"}


@pytest.mark.parametrize(
    ("change", "key", "words"),
    [
        ({"id": None}, ("id",), 'setting of a claim "id" is missing'),
        ({"says": 3}, ("says",), "says must be text that is not empty, not 3"),
        ({"says": " "}, ("says",), "text that is not empty"),
        ({"where": ""}, ("where",), "text that is not empty"),
        ({"bye": 0.5}, ("bye",), 'did you mean "by"?'),
        ({"by": -1}, ("by",), "by must be a number from 0 to 1,000,000,000, not -1"),
        ({"by": "much"}, ("by",), "not 'much'"),
        ({"by": True}, ("by",), "by must be a number"),
        ({"by": 10**400}, ("by",), "from 0 to 1,000,000,000"),
        ({"by": float("nan")}, ("by",), "from 0 to 1,000,000,000, not nan"),
        ({"within": 0.1}, ("within",), 'within belongs to "=="'),
        ({"says": "preact == original"}, ("within",), '"==" needs within'),
        ({"says": "preact == original", "within": 0}, ("within",), "above 0"),
        ({"says": "preact == original", "within": 1, "by": 1}, ("by",), "takes within"),
        ({"says": "plain fails", "by": 1}, ("by",), "takes rate"),
        ({"says": "plain fails", "rate": "many"}, ("rate",), '"> 0.5"'),
        ({"says": "plain fails", "rate": "> 1.5"}, ("rate",), "between 0 and 1"),
        ({"says": "plain fails", "test": "paired"}, ("test",), "leave test out"),
        ({"says": "plain fails", "over": "average"}, ("over",), '"every" or "any"'),
        ({"says": "plain fails", "metric": "train_error"}, ("metric",), "leave metric out"),
        ({"rate": "> 0.5"}, ("rate",), 'rate belongs to "fails"'),
        ({"over": "all"}, ("over",), 'unknown value of over "all"'),
        ({"test": "t"}, ("test",), 'unknown value of test "t"'),
        ({"metric": "train_eror"}, ("metric",), 'did you mean "train_error"?'),
        ({"paper": {"sd": 1}}, ("paper",), "a comparison with a number"),
        ({"says": "original == 6.6", "within": 1, "paper": {"std": 1}}, ("paper", "std"), 'did you mean "sd"?'),
        (
            {"says": "original == 6.6", "within": 1, "paper": {"n": 0}},
            ("paper", "n"),
            "from 1 to 100,000, not 0",
        ),
        (
            {"says": "original == 6.6", "within": 1, "paper": {"n": 10**400}},
            ("paper", "n"),
            "from 1 to 100,000",
        ),
        ({"says": "original == 6.6", "within": 1, "paper": {"sd": 0}}, ("paper", "sd"), "above 0"),
        ({"says": "original < 5.5", "paper": {"n": 3, "sd": 1e200}}, ("paper", "sd"), "at most 1,000,000,000"),
        ({"says": "original == 6.6", "within": 1, "paper": {"statistic": "mode"}}, ("paper", "statistic"), "best of 5"),
        ({"says": "original == 6.6", "within": 1, "test": "pooled"}, ("test",), "one sample"),
        ({"where": "depth > 110"}, ("where",), "no level of depth meets"),
        ({"where": "variant == plain"}, ("where",), "variant is fixed by says already"),
        (
            {"says": "effect(preact, original) increases with depth", "where": "depth > 56"},
            ("where",),
            "two levels of depth to grow along: it has 20, 56, 110",
        ),
    ],
)
def test_wrong_claims(change, key, words):
    with pytest.raises(SettingError) as error:
        parse_claims([GOOD | {"id": "first"}, {k: v for k, v in (GOOD | change).items() if v is not None}], FACTORS)
    assert error.value.key == (1, *key)
    assert words in error.value.message


def test_two_claims_with_one_id():
    with pytest.raises(SettingError, match="two claims have the id"):
        parse_claims([GOOD, GOOD], FACTORS)


@pytest.mark.parametrize("bad", ["\n", "\u202e", "\u2028"])
def test_an_id_is_one_line_that_can_be_read_unless_it_is_on_record(bad):
    given = [GOOD | {"id": f"a{bad}b"}]
    with pytest.raises(SettingError, match="of a claim has the control character") as error:
        parse_claims(given, FACTORS, on_record=False)
    assert error.value.key == (0, "id")
    assert parse_claims(given, FACTORS)[0].id == f"a{bad}b"


def test_a_claim_that_is_no_mapping():
    with pytest.raises(SettingError, match="this must be a mapping of settings, not 'preact < original'"):
        parse_claims(["preact < original"], FACTORS)


def test_no_claims():
    assert parse_claims(None, FACTORS) == parse_claims([], FACTORS) == ()


@pytest.mark.parametrize("metric", ["train_error", "seconds", "layer_response.mean", "gradient_flow.norm.first"])
def test_metrics_of_trials_and_of_measurements(metric):
    (claim,) = parse_claims([GOOD | {"metric": metric}], FACTORS)
    assert claim.metric == metric


def test_the_message_about_an_effect_with_one_level_to_grow_along_is_whole():
    claim = {"id": "x", "says": "effect(preact, original) increases with depth", "where": "depth > 56"}
    with pytest.raises(SettingError) as error:
        parse_claims([claim], FACTORS)
    assert error.value.message == "an effect needs two levels of depth to grow along: it has 20, 56, 110"
