"""The formats by name, and what each is written from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cargo.safe_text import safe
from geo.errors import UsageError
from geo.whole_file import replacing

if TYPE_CHECKING:
    from cargo.dossier_graph import DossierGraph
    from luxwake.export.features import Feature, Track

Json = Mapping[str, Any]


@dataclass
class Material:
    """What is exported: findings as `Findings.to_dict` lists them, and the ways of their ships where they are known."""

    findings: Sequence[Json]
    tracks: Sequence[Track] = ()
    title: str = "Luxwake findings"
    safe_findings: list[Json] = field(init=False)

    def __post_init__(self) -> None:
        self.safe_findings = safe(list(self.findings))

    @cached_property
    def graph(self) -> DossierGraph:
        """The graph of the findings. Ids rest on texts as they are, not on what is shown of them."""
        from cargo.dossier_graph import graph_of

        return graph_of(self.findings)

    @cached_property
    def features(self) -> list[Feature]:
        """What has a place on the map."""
        from luxwake.export.features import features_of

        return features_of(self.safe_findings, self.tracks)


class Format(NamedTuple):
    """How a format is written: the end of its name, whether it is a folder, and its writer to bytes by file name."""

    suffix: str
    folder: bool
    write: Callable[[Material], dict[str, bytes]]
    reader: str


def _ftm(material: Material) -> dict[str, bytes]:
    from luxwake.export.ftm import ftm_lines

    return {"": "".join(ftm_lines(material.graph)).encode()}


def _neo4j(material: Material) -> dict[str, bytes]:
    from luxwake.export.neo4j import neo4j_files

    return neo4j_files(material.graph)


def _gexf(material: Material) -> dict[str, bytes]:
    from luxwake.export.gexf import gexf_text

    return {"": gexf_text(material.graph, material.title).encode()}


def _geojson(material: Material) -> dict[str, bytes]:
    from luxwake.export.features import geojson_text

    return {"": geojson_text(material.features).encode()}


def _gpkg(material: Material) -> dict[str, bytes]:
    from luxwake.export.gpkg import gpkg_bytes

    return {"": gpkg_bytes(material.features)}


def _i2(material: Material) -> dict[str, bytes]:
    from luxwake.export.i2 import i2_files

    return i2_files(material.graph)


def _excel(material: Material) -> dict[str, bytes]:
    from luxwake.export.excel import excel_bytes

    return {"": excel_bytes(material.safe_findings, material.title)}


FORMATS = {
    "ftm": Format("ftm.json", False, _ftm, "OpenAleph, OpenSanctions tools, ftm"),
    "neo4j": Format("neo4j", True, _neo4j, "Neo4j"),
    "gexf": Format("gexf", False, _gexf, "Gephi, networkx"),
    "geojson": Format("geojson", False, _geojson, "QGIS, kepler.gl"),
    "gpkg": Format("gpkg", False, _gpkg, "QGIS, ArcGIS, GDAL"),
    "i2": Format("i2", True, _i2, "i2 Analyst's Notebook"),
    "excel": Format("xlsx", False, _excel, "Excel, LibreOffice"),
}


def export_findings(material: Material, to: str, out: str | Path) -> list[Path]:
    """Write findings in a format; the files written, each whole or not at all.

    Raises UsageError for a format that is not one of `FORMATS`, OutputError for a place that cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in export_findings(Material([]), "i2", Path(folder) / "i2")]
    ['entities.csv', 'import_specification.txt', 'links.csv']
    """
    if to not in FORMATS:
        raise UsageError(f"{to!r} is no format of an export; choose one of {', '.join(FORMATS)}")
    made, target = FORMATS[to].write(material), Path(out)
    if FORMATS[to].folder:
        from luxwake.store import staged

        with staged(target) as stage:
            for name, content in made.items():
                (stage / name).write_bytes(content)
        return [target / name for name in sorted(made)]
    with replacing(target) as stream:
        stream.write(made[""])
    return [target]
