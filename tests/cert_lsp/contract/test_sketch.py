"""The sketch: the paper's table, its pitfalls, and properties over generated code."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cert_lsp.contract.sketch import Fill, Placeholder, Sketch, Variant, align, parse_wire, rebuild, sketch
from cert_lsp.errors import AlignError, SketchError

PAPER_TABLE = [
    ("f(3)", "f(number)"),
    ("f(1_000)", "f(number)"),
    ("f(0.5)", "f(float)"),
    ("f(1e-3)", "f(floatexponant)"),
    ("f(2j)", "f(complex)"),
    ("f('x')", "f(string)"),
    ('f("x")', "f(string)"),
    ("f(r'x')", "f(rawstring)"),
    ("f(f'{x}')", "f(interstring)"),
    ("f(rf'{x}')", "f(interrawstring)"),
    ("f(b'x')", "f(binarystring)"),
    ("f(u'x')", "f(unicodestring)"),
    ("f(-1.5)", "f(-float)"),
    ("f(0x1F, True, None)", "f(0x1F, True, None)"),
    ('f("""kept""")', 'f("""kept""")'),
]


@pytest.mark.parametrize(("code", "expected"), PAPER_TABLE)
def test_paper_table(code: str, expected: str) -> None:
    assert sketch(code).text == expected


def test_placeholders_are_tokens_not_substrings() -> None:
    made = sketch('df.to_string().astype(float) + string + "a"')
    assert made.text == "df.to_string().astype(float) + string + string"
    assert made.wire == "df.to_string().astype(float) + string + $string"
    assert made.placeholders == (Placeholder("string", 40, 46),)


@pytest.mark.parametrize(
    ("before", "code", "expected"),
    [
        ("", "    return df.dropna(subset=['a'])", "    return df.dropna(subset=[string])"),
        ("x =", " df[df.a > 1]", " df[df.a > number]"),
        ("    return", " df.head(5)", " df.head(number)"),
        ("df.groupby('a')", "['b'].sum()", "[string].sum()"),
        ("x = f(", "1, y='a')", "number, y=string)"),
        ("", "for i in range(10):", "for i in range(number):"),
        ("", "        x = 1\n    y = 2\nz = 3", "        x = number\n    y = number\nz = number"),
        ("", "\tx = 1\n\tif x:\n\t\ty = 2", "\tx = number\n\tif x:\n\t\ty = number"),
        ("", "x = [1,\n     2]\r\ny = ( 3 )", "x = [number,\n     number]\r\ny = ( number )"),
        ("", "x = 'é', '😀', 'b'", "x = string, string, string"),
        ("", "x = 'a' \"b\"", "x = string string"),
    ],
)
def test_fragments_keep_their_layout(before: str, code: str, expected: str) -> None:
    assert sketch(code, before=before).text == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = 1  # one\n", "x = number\n"),
        ("# why\nx = 1\n", "x = number\n"),
        ("x = 1\n# end", "x = number"),
        ("x = [\n    1,  # one\n]", "x = [\n    number,\n]"),
        ("x = '# no comment'", "x = string"),
    ],
)
def test_comments_leave_the_sketch(code: str, expected: str) -> None:
    assert sketch(code).text == expected


def test_variants() -> None:
    code = "class Bus(Base):\n    def stop(self, at=1):\n        return self.stop(at='x') + stop\n\nBus()"
    names = "class AnClass(Base):\n    def func(self, at=1):\n        return self.stop(at='x') + func\n\nAnClass()"
    both = names.replace("1", "number").replace("'x'", "string")
    assert sketch(code, variant=Variant.NAMES).text == names
    assert sketch(code, variant=Variant.BOTH).text == both
    assert [fill.text for fill in align(sketch(code, variant=Variant.NAMES), code, variant=Variant.NAMES)] == [
        "Bus",
        "stop",
        "stop",
        "Bus",
    ]


@pytest.mark.parametrize("code", ["df.groupby(", "x = = 1", "else:\n    x", "a\0b", "1if x else 2", "'open"])
def test_what_does_not_parse_raises(code: str) -> None:
    with pytest.raises(SketchError):
        sketch(code)


def test_cursor_inside_a_literal_raises() -> None:
    with pytest.raises(SketchError):
        sketch("bc'", before="x = 'a")


def test_align_rejects_another_sketch() -> None:
    with pytest.raises(AlignError):
        align(parse_wire("f($string)"), "f(1)")
    with pytest.raises(AlignError):
        rebuild(parse_wire("f($string)"), ())


def test_a_dollar_within_a_string_is_text() -> None:
    made = parse_wire('f($string, """ $number """, "$number")')
    assert [place.kind for place in made.placeholders] == ["string"]


LITERALS = st.one_of(
    st.integers(0, 10**6).map(str),
    st.floats(0, 1e6, allow_nan=False).map(repr),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8).map(repr),
    st.sampled_from(["b'x'", "rb'\\d'", "f'{df}'", "Rf'{x!r:>{w}}'", "u'é'", "3J", "1E5", "0xff", "0b1", "'''t'''"]),
)
NAMES = st.sampled_from(["df", "string", "number", "float", "func", "AnClass", "_string", "x1", "größe"])
EXPRESSIONS = st.recursive(
    LITERALS | NAMES,
    lambda inner: st.one_of(
        st.builds("{}.{}({}, {}={})".format, NAMES, NAMES, inner, NAMES, inner),
        st.builds("{}[{}]".format, NAMES, inner),
        st.builds("({} + -{})".format, inner, inner),
        st.builds("[{},\n  {}]".format, inner, inner),
        st.builds("{{{}: {}}}".format, inner, inner),
        st.builds("(lambda {}: {})".format, NAMES, inner),
    ),
    max_leaves=6,
)
STATEMENTS = st.one_of(
    st.builds("{} = {}".format, NAMES, EXPRESSIONS),
    st.builds("return {}".format, EXPRESSIONS),
    st.builds("for {} in {}:\n        pass".format, NAMES, EXPRESSIONS),
    st.builds("def {}({}={}):\n        return {}".format, NAMES, NAMES, EXPRESSIONS, NAMES),
)
CODE = st.lists(STATEMENTS, min_size=1, max_size=4).map(lambda lines: "".join(f"    {line}\n" for line in lines))


@given(CODE, st.sampled_from(Variant))
def test_properties(code: str, variant: Variant) -> None:
    made = sketch(code, variant=variant)
    assert made == sketch(code, variant=variant), "deterministic"
    assert sketch(made.wire, variant=variant) == made, "idempotent"
    assert rebuild(made, align(made, code, variant=variant)) == code, "alignment rebuilds the code"
    assert all(made.text[place.start : place.end] == place.kind for place in made.placeholders)
    assert made.text.count("\n") <= code.count("\n"), "layout is kept"


@given(st.text(max_size=60))
@example("\U00031350")  # a letter to LibCST, not yet to Python 3.11
def test_any_text_gives_a_sketch_or_a_sketch_error(text: str) -> None:
    try:
        made = sketch(text)
    except SketchError:
        return
    assert isinstance(made, Sketch)
    assert all(isinstance(fill, Fill) for fill in align(made, text))


@pytest.mark.parametrize(
    "code",
    [
        "(" * 5_000,
        "(" * 3_000 + "1" + ")" * 3_000,
        "-" * 20_000 + "1",
        "x" + "()" * 10_000,
        "x = (1" + "\n+ 1" * 5_000 + ")",
        "x" + ".a" * 2_500,
        "not " * 1_400 + "1",
    ],
    ids=lambda code: code[:6],
)
def test_what_nests_too_deeply_is_refused_and_does_not_end_the_process(code: str) -> None:
    with pytest.raises(SketchError, match="deeply"):
        sketch(code)


def test_long_literals_and_many_statements_are_no_depth() -> None:
    code = f"x = '{'(' * 9_000}'\n" + "y = x  # (((\n" * 2_000
    assert sketch(code).text == "x = string\n" + "y = x\n" * 2_000
