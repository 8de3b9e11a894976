"""Parties across rows: nothing is merged on a name that is only alike, and the truth of a made-up world is found."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from party_world import agreement, world

from cargo.addresses import address, address_alike
from cargo.mentions import mentions_of
from cargo.parties import Mention, resolve_parties
from cargo.party_blocks import candidate_pairs
from cargo.party_names import likeness, party_name
from cargo.shipments import read_shipments

PLACE = "12 Harbour Road, Testville"


def groups(mentions):
    found = resolve_parties(mentions)
    return sorted(sorted(row for row, _ in party.rows) for party in found.parties)


def two(one, other):
    """Whether two mentions, each (name, address, country, identifiers), are one party."""
    return len(groups([Mention(1, "shipper", *one), Mention(2, "consignee", *other)])) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Do Young Shipping Co., Ltd.", "DO-YOUNG SHPG CO LTD"),
        ("大连华信贸易有限公司", "Dalian Huaxin Trading Co Ltd"),
        ("ООО «Ромашка Трейдинг»", "Romashka Trading LLC"),
        ("주식회사 대한물류", "DAEHAN LOGISTICS CO.,LTD"),
        ("株式会社ヤマト商事", "ヤマト商事㈱"),
        ("Société Générale Maritime S.A.", "SOCIETE GENERALE MARITIME SA"),
        ("ALFARO TRADING LIMITED", "Alfaro Trading"),
    ],
)
def test_one_firm_written_in_two_ways(one, other):
    assert party_name(one).key == party_name(other).key
    assert two((one,), (other,))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ALFARO 1 TRADING", "ALFARO 2 TRADING"),
        ("ALFARO II TRADING", "ALFARO III TRADING"),
        ("ALFARO TRADING", "ALFARO SHIPPING"),
    ],
)
def test_numerals_and_trades_must_be_the_same_even_at_one_address(one, other):
    assert not two((one, PLACE, "PA"), (other, PLACE, "PA"))


def test_a_name_alike_is_never_enough_and_is_told_as_a_rival():
    found = resolve_parties([Mention(1, "shipper", "Belvederon Trading"), Mention(2, "shipper", "Belvedaron Trading")])
    assert len(found.parties) == 2
    assert found.rivals[0].why == "nothing but the name"


@pytest.mark.parametrize(
    "more",
    [
        (PLACE, ""),
        ("", "", (("email", "office@belvederon.example"),)),
        ("", "", (("tax", "7701234567"),)),
        ("", "", (("phone", "+82 51 123 4567"),)),
    ],
)
def test_a_name_alike_is_confirmed_by_address_or_number(more):
    assert two(("Belvederon Trading", *more), ("Belvedaron Trading", *more))


def test_another_country_or_another_tax_number_is_a_veto():
    name = "Belvederon Trading"
    assert not two((name, PLACE, "PA"), (name, PLACE, "TG"))
    assert not two((name, PLACE, "PA", (("tax", "7701234567"),)), (name, PLACE, "PA", (("tax", "7701234568"),)))


def test_a_mention_that_may_belong_to_two_belongs_to_neither():
    name = "Belvederon Trading"
    mentions = [Mention(1, "a", name, "", "PA"), Mention(2, "a", name, "", "TG"), Mention(3, "a", name)]
    assert groups(mentions) == [[1], [2], [3]]
    assert groups([*mentions[:1], mentions[2]]) == [[1, 3]]


def test_a_name_that_only_says_a_trade_is_no_name_to_merge_by():
    for told, one in ((("", "PA"), False), ((PLACE, "PA"), True)):
        assert two(("General Trading Co", *told), ("GENERAL TRADING LTD", *told)) is one


def test_no_chain_of_merges_joins_what_contradicts():
    """1 and 3 have other tax numbers; 2, between them, goes to one and not to both."""
    mentions = [
        Mention(1, "a", "Belvederon Trading", PLACE, "PA", (("tax", "7701234567"),)),
        Mention(2, "a", "Belvedaron Trading", PLACE, "PA"),
        Mention(3, "a", "Belvedoron Trading", PLACE, "PA", (("tax", "7709999999"),)),
    ]
    found = resolve_parties(mentions)
    assert found.of[1, "a"] is not found.of[3, "a"]


def test_an_address_of_many_confirms_only_names_that_are_almost_the_same():
    names = ("Karamel", "Dolmen", "Sirocco", "Tundra", "Vesper", "Walnut", "Xenon", "Yarrow", "Zephyr", "Quartz")
    crowd = [Mention(n, "a", f"{name} Trading", PLACE, "PA") for n, name in enumerate(names, start=10)]
    pair = [Mention(1, "a", "Belvido Trading", PLACE, "PA"), Mention(2, "a", "Belvedo Trading", PLACE, "PA")]
    assert len(resolve_parties(pair).parties) == 1
    found = resolve_parties(pair + crowd)
    assert found.of[1, "a"] is not found.of[2, "a"]
    assert "12 parties give it" in found.rivals[0].why


def test_what_cannot_be_a_name_is_counted():
    hostile = ["A" * 1_000_000, "N/A", "TO ORDER", "\u202e\u200f", "\x00", "TO THE ORDER OF EXAMPLE BANK"]
    found = resolve_parties([Mention(n, "a", name) for n, name in enumerate(hostile)])
    assert not found.parties
    assert sum(n for reason, n in found.counts.items() if reason.startswith("left out")) == len(hostile)


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "<script>alert(1)</script>", "ALFA\ud800 TRADING", "ﷺ ﷽"])
def test_hostile_text_is_carried_as_text(name):
    found = resolve_parties([Mention(1, "a", name, name, "", (("tax", name), ("email", name)))])
    assert len(found.parties) == 1
    found.parties[0].name.encode()


def test_precision_and_recall_on_a_made_up_world():
    """The figures of docs/cargo-who.md, on other seeds; half the firms have a look-alike."""
    for rate, least in ((0.01, 0.90), (0.05, 0.65)):
        mentions, truth = world(101, 1500, rate=rate)
        found = resolve_parties(mentions)
        precision, recall = agreement([found.of[m.row, m.role].id for m in mentions], truth)
        assert precision >= 0.98 and recall >= least, (rate, precision, recall)


def test_the_order_of_the_mentions_plays_no_part():
    mentions, _ = world(7, 150, rate=0.03)
    mixed = list(mentions)
    random.Random(1).shuffle(mixed)
    assert resolve_parties(mentions) == resolve_parties(mixed)
    assert resolve_parties(mentions + mentions[:50]).parties == resolve_parties(mentions).parties


def test_blocks_find_the_pairs_that_comparing_all_with_all_finds():
    mentions, _ = world(3, 200, rate=0.03)
    names = sorted({party_name(m.name) for m in mentions})
    everyone = {(i, j) for j in range(len(names)) for i in range(j) if likeness(names[i], names[j]) >= 0.85}
    from collections import Counter

    found = {
        pair
        for pair in candidate_pairs(names, [()] * len(names), Counter())
        if likeness(*(names[i] for i in pair)) >= 0.85
    }
    assert found <= everyone
    assert len(found) >= 0.95 * len(everyone)


def test_pairs_compared_grow_nearly_with_the_number_of_names(monkeypatch):
    compared = []

    def counted(*given):
        pairs = [*candidate_pairs(*given)]
        compared.append(len(pairs))
        return iter(pairs)

    monkeypatch.setattr("cargo.parties.candidate_pairs", counted)
    for firms in (500, 2000):
        resolve_parties(world(5, firms, rate=0.02)[0])
    few, many = compared
    assert 500 < few < many < 9 * few


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_symmetric_and_bounded(one, other):
    a, b = party_name(one), party_name(other)
    assert likeness(a, b) == likeness(b, a)
    assert 0.0 <= likeness(a, b) <= 1.0
    assert address_alike(address(one), address(other)) == address_alike(address(other), address(one))


def test_parties_of_a_file_with_addresses_and_numbers(tmp_path):
    text = (
        "description,load_port,discharge_port,shipper,shipper_address,shipper_id,consignee,consignee_country\n"
        'used car,KRPUS,RUVVO,Belvederon Trading,"12 Harbour Road, Testville, Panama",7701234567,TO ORDER,\n'
        'used car,KRPUS,RUVVO,Belvedaron Trading,,770-123-4567,"Romashka Trading, LLC",Russia\n'
    )
    (tmp_path / "bl.csv").write_text(text, encoding="utf-8")
    found = resolve_parties(mentions_of(read_shipments(tmp_path / "bl.csv")))
    assert [(party.name, party.countries, party.rows) for party in found.parties] == [
        ("Belvedaron Trading", ("PA",), ((1, "shipper"), (2, "shipper"))),
        ("Romashka Trading, LLC", ("RU",), ((2, "consignee"),)),
    ]
    assert found.parties[0].merges[0].why == "the same tax number 7701234567"
    assert found.counts["left out: to order"] == 1
