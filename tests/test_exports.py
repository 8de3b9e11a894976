"""Exports: each is loaded by its own tool, the same findings give the same bytes, and texts of strangers stay texts."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
import zipfile

import export_case
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cargo.dossier_graph import graph_of
from cargo.safe_text import guarded
from geo.errors import OutputError, UsageError
from luxwake.export import FORMATS, Material, export_findings
from luxwake.export.features import Track, features_of, geojson_text
from luxwake.export.ftm import ftm_lines


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


HOUR = 3_600_000_000
PAYLOADS = (
    "<script>alert(1)</script>", '=HYPERLINK("http://x.invalid")', "@SUM(1)", "-1+1", "+1", "\t=1", "\r=1",
    "\u202egpj.exe\u2066", "\ud800", "\udfff\ud800", "\x00\x1b[2J", "]]>", "a\\", '"', "a;b,c\n=1", "\ufffe\uffff",
    "&amp;",
    "x" * 1_000_000, "", "' or 1=1 --", "{}", "NaN", "2018-99-99T00:00:00Z", "2018-10-01",
)  # fmt: skip


@pytest.fixture
def material() -> Material:
    return Material([export_case.finding()])


def files(material: Material, to: str) -> dict[str, bytes]:
    return FORMATS[to].write(material)


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_every_tie_has_both_ends_and_evidence_that_is_there(material):
    graph = material.graph
    assert {e.kind for e in graph.entities.values()} >= {"finding", "shipment", "party", "vessel", "event", "source"}
    for tie in graph.relations.values():
        assert {tie.source, tie.target, *tie.evidence} <= set(graph.entities)
    for entity in graph.entities.values():
        assert {graph.entities[id_].kind for id_ in entity.evidence} <= {"source"}
    shipments = graph.of("shipment")
    assert any(one.evidence for one in shipments)
    assert [one.name for one in graph.of("listing")] == ["NOWHERE SHIPPING"]


def test_ids_do_not_hang_on_the_order_of_findings_or_on_where_the_input_lay():
    one, two = export_case.finding(), export_case.finding(id="0123456789abcdef", title="Another")
    moved = json.loads(json.dumps(one).replace("/data/x/", "/elsewhere/"))
    first, second = graph_of([one, two]), graph_of([two, moved])
    assert set(first.entities) == set(second.entities) and set(first.relations) == set(second.relations)


def test_two_ships_of_one_name_stay_two_and_one_imo_is_one_ship():
    def leg(n, **vessel):
        return {"leg": n, "bl_number": f"B{n}", "vessel": vessel}

    chain = [leg(1, name="SEA LARK"), leg(2, name="SEA LARK"), leg(3, name="SEA LARK", imo=9999993, mmsi=671999101)]
    events = [{"id": "e" * 16, "kind": "dark", "mmsi": 671999101}]
    graph = graph_of([{"id": "f", "chain": chain, "events": events}])
    assert len(graph.of("vessel")) == 3
    two = [leg(1, imo=9999993, mmsi=671999101), leg(2, imo=9999981, mmsi=671999101)]
    assert len(graph_of([{"id": "f", "chain": two, "events": events}]).of("vessel")) == 3  # whose MMSI is not known


@pytest.mark.parametrize("to", FORMATS)
def test_same_findings_give_the_same_bytes(to):
    first, second = (files(Material([export_case.finding()]), to) for _ in range(2))
    assert first == second and all(first.values())


@pytest.mark.parametrize("to", FORMATS)
def test_no_findings_give_files_that_can_be_read(to, tmp_path):
    written = export_findings(Material([]), to, tmp_path / f"case.{FORMATS[to].suffix}")
    assert written and all(path.is_file() for path in written)


def test_gexf_is_read_by_networkx_with_its_times(material, tmp_path):
    import networkx

    (path,) = export_findings(material, "gexf", tmp_path / "case.gexf")
    read = networkx.read_gexf(path)
    graph = material.graph
    assert set(read) == set(graph.entities) and read.number_of_edges() == len(graph.relations)
    dated = [e for e in graph.entities.values() if e.t_from and (not e.t_to or e.t_from <= e.t_to)]
    assert dated and all(read.nodes[e.id]["start"] == e.t_from[:10] for e in dated)
    assert read.graph["mode"] == "dynamic"


def test_geopackage_and_geojson_hold_the_same_places(material, tmp_path):
    pyogrio = pytest.importorskip("pyogrio")
    (package,) = export_findings(material, "gpkg", tmp_path / "case.gpkg")
    (text,) = export_findings(material, "geojson", tmp_path / "case.geojson")
    layers = {name: pyogrio.read_dataframe(package, layer=name) for name, _ in pyogrio.list_layers(package)}
    whole = pyogrio.read_dataframe(text)
    assert {name: len(layer) for name, layer in layers.items()} == whole["layer"].value_counts().to_dict()
    shapes = dict(zip(whole["id"], whole.geometry, strict=True))
    for name, layer in layers.items():
        assert str(layer.crs) == "EPSG:4326" and layer.geometry.is_valid.all(), name
        assert all(shape.equals(shapes[id_]) for id_, shape in zip(layer["id"], layer.geometry, strict=True))
    assert str(layers["silences"]["t_start"].dtype).startswith("datetime64")


def test_lines_are_cut_at_180_degrees_and_rings_turn_as_the_standard_asks():
    found = features_of([export_case.finding()])
    across = next(f for f in found if f.id.endswith("00ff00ff00ff00ff"))
    assert across.geometry["coordinates"][0][-1][0] == 180.0 and across.geometry["coordinates"][1][0][0] == -180.0
    square = [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]]
    bands = [{"area": {"type": "MultiPolygon", "coordinates": [[square]]}, "least_stay_h": 0.0}]
    (band,) = features_of([{"id": "f", "reach": {"event": "e", "bands": bands}}])
    assert band.geometry["coordinates"][0][0] == square[::-1]
    for feature in json.loads(geojson_text(found))["features"]:
        assert feature["type"] == "Feature" and feature["geometry"]["type"] in (
            "Point",
            "MultiLineString",
            "MultiPolygon",
        )


def test_a_way_is_broken_where_the_ship_was_not_heard():
    t = [0, HOUR // 2, HOUR, 9 * HOUR, 9 * HOUR + 1]
    track = Track(671999101, t, [0.0, 0.1, 0.2, 5.0, 5.1], [179.9, 180.0, -179.9, 170.0, 170.1])
    first, second = features_of([], [track])
    assert first.properties["fixes"] == 3 and second.properties["fixes"] == 2
    assert first.geometry["coordinates"] == [[[179.9, 0.0], [180.0, 0.1]], [[-180.0, 0.1], [-179.9, 0.2]]]
    assert first.properties["t_start"] == "1970-01-01T00:00:00Z"


def test_workbook_has_every_sheet_and_no_formula(material, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    found = export_case.poisoned(export_case.finding(), "=1+1")
    (path,) = export_findings(Material([found]), "excel", tmp_path / "case.xlsx")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["findings", "goods", "legs", "events", "claims", "evidence"]
    cells = [cell for sheet in book for row in sheet.iter_rows(min_row=2) for cell in row if cell.value == "=1+1"]
    assert cells and {cell.data_type for cell in cells} == {"s"} and {cell.number_format for cell in cells} == {"@"}
    with zipfile.ZipFile(path) as archive:
        assert not [n for n in archive.namelist() if b"<f>" in archive.read(n) or b"hyperlink" in archive.read(n)]
    assert book["events"].max_row == len(found["events"]) + 1


@pytest.mark.parametrize(("to", "nodes", "edges", "ids", "ends"), [
    ("neo4j", "nodes.csv", "edges.csv", ":ID", (":START_ID", ":END_ID")),
    ("i2", "entities.csv", "links.csv", "Entity ID", ("From Entity ID", "To Entity ID")),
])  # fmt: skip
def test_tables_of_nodes_and_edges_fit_each_other(material, to, nodes, edges, ids, ends):
    made = files(material, to)
    known = {row[ids] for row in read_csv(made[nodes])}
    ties = read_csv(made[edges])
    assert len(known) == len(material.graph.entities) and len(ties) == len(material.graph.relations)
    assert all(row[end] in known for row in ties for end in ends)


def test_cypher_names_every_label_and_kind_of_the_tables(material):
    made = files(material, "neo4j")
    script = made["load.cypher"].decode()
    assert all(f"'{row[':LABEL']}'" in script for row in read_csv(made["nodes.csv"]))
    assert all(f"'{row[':TYPE']}'" in script for row in read_csv(made["edges.csv"]))


def check_clean(material: Material) -> None:
    """Every format, read by a parser of its own: no text became markup, formula or another row."""
    for to in FORMATS:
        for name, content in files(material, to).items():
            if to in ("gpkg", "excel"):
                assert content[:4] in (b"SQLi", b"PK\x03\x04")
                continue
            text = content.decode("utf-8")
            assert not set(text) & set("\x00\x1b\u202e\u2066\ufffe\uffff"), to
            if name.endswith(".csv"):
                rows = list(csv.reader(io.StringIO(text, newline="")))
                assert {len(row) for row in rows} == {len(rows[0])}
                numbers = {"lat:double", "lon:double", "Latitude", "Longitude"}
                for row in rows[1:]:
                    assert all(guarded(c) == c for head, c in zip(rows[0], row, strict=True) if head not in numbers)
            elif to == "gexf":
                assert {e.tag.split("}")[1] for e in ET.fromstring(text).iter()} <= GEXF
            elif to == "geojson":
                json.loads(text)
            elif to == "ftm":
                assert [json.loads(line)["id"] for line in text.split("\n") if line]


GEXF = set(words("gexf meta creator description graph attributes attribute nodes node edges edge attvalues attvalue"))


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda text: repr(text[:12]))
def test_text_of_strangers_stays_text_in_every_format(payload):
    check_clean(Material([export_case.poisoned(export_case.finding(), payload)]))


texts = st.text(max_size=12) | st.sampled_from(PAYLOADS[:17]) | st.text(st.characters(codec=None), max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
KEYS = words("chain events goods claims evidence reach score listed return_cargo hypotheses unknown id title")
INNER = words(
    "leg rows bl_number load_port load_lat load_lon discharge_port vessel shipper consignee t_depart t_arrive link id "
    "kind mmsi other lat lon lat_end lon_end t_start t_end port offset file note row values value source name imo "
    "candidates bands area coordinates type ports event locode vin container"
)
objects = st.dictionaries(st.sampled_from(INNER), json_values | st.lists(
    st.dictionaries(st.sampled_from(INNER), json_values, max_size=4), max_size=2), max_size=8)  # fmt: skip


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(KEYS), json_values | st.lists(objects, max_size=3) | objects, max_size=8))
def test_whatever_a_findings_file_holds_every_writer_ends_in_clean_output(found):
    check_clean(Material([found]))


def test_a_format_that_is_none_and_a_place_that_cannot_be_written_are_told(material, tmp_path):
    with pytest.raises(UsageError, match="choose one of ftm"):
        export_findings(material, "anx", tmp_path / "x")
    with pytest.raises(OutputError, match="cannot be written"):
        export_findings(material, "gexf", tmp_path / "no" / "case.gexf")


def test_ftm_is_valid_by_the_library_of_followthemoney(material):
    followthemoney = pytest.importorskip("followthemoney", reason="the extra `ftm` is not installed")
    model = followthemoney.model
    poisoned = [
        Material([export_case.poisoned(export_case.finding(), text)]) for text in ("=1", "\ud800", "x" * 10_000)
    ]
    for one in (material, *poisoned):
        for line in ftm_lines(one.graph):
            told = json.loads(line)
            schema = model.get(told["schema"])
            schema.validate(told)
            assert set(schema.required) <= set(told["properties"]) <= set(schema.properties)
            proxy = model.get_proxy(told, cleaned=False)
            kept = {name: sorted(proxy.get(name)) for name in told["properties"]}
            if one is material:
                assert kept == {name: sorted(values) for name, values in told["properties"].items()}


def test_ftm_has_what_the_model_asks_for(material):
    lines = [json.loads(line) for line in ftm_lines(material.graph)]
    schemata = {line["schema"] for line in lines}
    assert schemata >= {"Vessel", "EconomicActivity", "Trip", "Event", "Address", "UnknownLink", "Document", "Sanction"}
    ids = [line["id"] for line in lines]
    assert len(ids) == len(set(ids))
    ends = ("sender", "receiver", "transport", "proof", "subject", "object", "entity", "vehicle", "startLocation")
    named = {id_ for line in lines for name in ends for id_ in line["properties"].get(name, ())}
    assert named <= set(ids)
