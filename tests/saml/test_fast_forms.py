"""What is read by a short way is what the long way reads; what the short way does not know, the long one decides."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from actas import saml
from actas.saml.parsing import Limits, canonical, parse, parse_canonical
from actas.saml.signature import _PLAIN_INFO, _parse_info, _read_info
from actas.saml.times import _TIME, read_time

DS = "http://www.w3.org/2000/09/xmldsig#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
SPACE = st.sampled_from(["", "", "", "\n", " ", "\t\n  "])
PREFIX = st.sampled_from(["ds", "ds", "", "dsig", "_s.1-"])
DIGESTS = st.sampled_from(["QUJD", "Q U\nJD", "QUJD=", "", "x!"])
TIMES = st.text("0123456789-:TZW+ \n٣", min_size=20, max_size=20)


@st.composite
def infos(draw):
    """SignedInfo, well-formed, mostly as signers write it, with something odd here and there."""
    prefix = draw(PREFIX)
    at = f"{prefix}:" if prefix else ""
    space = lambda: draw(SPACE)  # noqa: E731 - a word for each place
    odd = lambda usual: draw(st.sampled_from([usual] * 8 + ["", "x", "a&amp;b", "é"]))  # noqa: E731
    inside = lambda usual="": draw(st.sampled_from([usual] * 12 + ["<e/>", "text", "&#13;"]))  # noqa: E731
    name = draw(st.sampled_from(["ec:"] * 3 + ["", "other:"]))
    bound = f"xmlns:{name[:-1]}" if name else "xmlns"
    listed = draw(st.sampled_from(["", f'<{name}InclusiveNamespaces {bound}="{EXC}" PrefixList="xs  xsi"/>']))
    more = draw(st.sampled_from([""] * 6 + [' Id="r"', ' Type="t"', ' Other="o"']))
    return (
        f'<{at}SignedInfo xmlns{":" + prefix if prefix else ""}="{DS}">{space()}'
        f'<{at}CanonicalizationMethod Algorithm="{odd(EXC)}">{inside()}</{at}CanonicalizationMethod>{space()}'
        f'<{at}SignatureMethod Algorithm="{odd("urn:signature")}">{inside()}</{at}SignatureMethod>{space()}'
        f'<{at}Reference URI="{odd("#_a1")}"{more}>{space()}<{at}Transforms>{space()}'
        f'<{at}Transform Algorithm="{odd(DS + "enveloped-signature")}">{inside()}</{at}Transform>{space()}'
        f'<{at}Transform Algorithm="{odd(EXC)}">{inside(listed)}{space()}</{at}Transform>{space()}</{at}Transforms>'
        f'{space()}<{at}DigestMethod Algorithm="{odd("urn:digest")}">{inside()}</{at}DigestMethod>{space()}'
        f"<{at}DigestValue>{draw(DIGESTS)}</{at}DigestValue>{space()}"
        f"</{at}Reference>{space()}</{at}SignedInfo>"
    )


def said(read, signed):
    try:
        return read(signed)
    except saml.SamlError as refused:
        return type(refused)


@given(infos())
def test_signed_info_read_by_its_form_is_what_parsing_reads(info):
    signed = canonical(etree.fromstring(info))

    assert said(_read_info, signed) == said(lambda data: _parse_info(parse_canonical(data)), signed)


@given(st.text(st.sampled_from('<>/:="& aSignedInfo\n'), max_size=60), st.integers(0, 2000), st.integers(0, 40))
def test_signed_info_that_was_broken_is_not_read_by_its_form_unless_parsing_reads_the_same(made, idp, junk, at, cut):
    root = etree.fromstring(idp.response())
    signed = canonical(root.find(f".//{{{DS}}}SignedInfo"))
    at %= len(signed)
    broken = signed[:at] + junk.encode() + signed[at + cut :]

    if _PLAIN_INFO.fullmatch(broken):
        assert said(_read_info, broken) == said(lambda data: _parse_info(parse_canonical(data)), broken)


@pytest.mark.parametrize("prefixes", ["", "xs", "xs xsi saml"])
def test_what_providers_sign_is_read_by_its_form(idp, prefixes):
    root = etree.fromstring(idp.response(how={"prefixes": prefixes}))

    assert _PLAIN_INFO.fullmatch(canonical(root.find(f".//{{{DS}}}SignedInfo")))


def long_way(text):
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    try:
        return datetime.fromisoformat(f"{found[1]}+00:00")
    except ValueError:
        return None


@given(
    st.text("0123456789-:TZW+ \n٣", min_size=20, max_size=20)
    | st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H:%M:%SZ}")
)
@example("2026-11-23T24:00:00Z")
@example("2026-11-23T23:59:60Z")
@example("2026-02-30T00:00:00Z")
@example("2026-W48T1:00:00:00Z")
@example("2026-1 -23T09:00:00Z")
@example("2026-11-23T+9:00:00Z")
@example("0000-11-23T09:00:00Z")
def test_a_time_in_the_usual_form_is_what_the_grammar_reads(text):
    try:
        found = read_time(text, what="time")
    except saml.MalformedDocument:
        found = None

    assert found == long_way(text) or (found is not None and not text.endswith("Z"))
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(("depth", "is_read"), [(64, True), (65, False)])
@pytest.mark.parametrize("innermost", ["<a/>", "<a></a>", "<a>x</a>"])
def test_levels_are_counted_also_where_marks_are_few(depth, is_read, innermost):
    document = ("<a>" * (depth - 1) + innermost + "</a>" * (depth - 1)).encode()

    if is_read:
        assert parse(document).tag == "a"
    else:
        with pytest.raises(saml.DocumentTooLarge):
            parse(document)


@pytest.mark.parametrize("inside", ["<b/>", "<b/>x", "<!--c-->x", "<![CDATA[c]]><b/>"])
@given(count=st.integers(1, 60))
def test_nodes_are_counted_also_where_marks_are_few(inside, count):
    document = ("<a>x" + inside * count + "</a>").encode()
    nodes = int(etree.XPath("count(//node())")(etree.fromstring(document)))

    assert parse(document, Limits(nodes=nodes)).tag == "a"
    with pytest.raises(saml.DocumentTooLarge):
        parse(document, Limits(nodes=nodes - 1))


ODD = [
    '<a xmlns:b="rel"><c/></a>',
    "<a xmlns:b='rel'/>",
    "<a xmlns = 'rel'/>",
    '<a\nxmlns:b\n=\n"rel"/>',
    '<a>xmlns<b xmlns:c="rel"/></a>',
    '<a>xmlns="<b xmlns:c="rel"/></a>',
    '<a>xmlns="u:x<b xmlns:c="rel"/></a>',
    """<a>xmlns='<b xmlns:c="rel"/></a>""",
    '<a d="xmlns"><b xmlns:c="rel"/></a>',
    """<a d='xmlns="u:x'><b xmlns:c="rel"/></a>""",
    '<a><!-- xmlns="u:x --><b xmlns:c="rel"/></a>',
    '<a><![CDATA[xmlns="u:x]]><b xmlns:c="rel"/></a>',
    '<a xmlns:b="' + "u:" + "x" * 251 + '"/>',
    '<a xmlns:b="u:&#120;&#32;"/>',
    '<a xmlns:b="&#117;rel"/>',
]


@pytest.mark.parametrize("document", ODD)
def test_a_relative_namespace_is_found_however_it_is_hidden(document):
    with pytest.raises((saml.ForbiddenConstruct, saml.MalformedDocument)):
        parse(document.encode())


@pytest.mark.parametrize("document", ODD[:12])
def test_an_absolute_namespace_may_stand_there(document):
    assert parse(document.replace("rel", "u:rel").encode()) is not None


@pytest.mark.parametrize("name", ["id", "iD", "x:ID", "x:Id", "x:id", "ID:ID", "id:x", "xml:id"])
def test_an_id_in_another_spelling_is_found_wherever_it_stands(name):
    space = ' xmlns:x="u:x" xmlns:ID="u:i" xmlns:id="u:j"'
    document = f'<a{space}><b><c ID="_1"/><c {name}="_2"/></b></a>'.encode()

    if name == "id:x":  # a prefix is no attribute
        assert parse(document).tag == "a"
    else:
        with pytest.raises(saml.ForbiddenConstruct):
            parse(document)


@pytest.mark.parametrize(("one", "other"), [("ID", "ID"), ("ID", "Id"), ("Id", "Id")])
def test_an_id_that_comes_twice_is_found_in_both_spellings(one, other):
    document = '<a><b {}="_1"/><b {}="_{}"/></a>'

    assert parse(document.format(one, other, 2).encode()).tag == "a"
    with pytest.raises(saml.ForbiddenConstruct):
        parse(document.format(one, other, 1).encode())
