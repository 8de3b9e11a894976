"""Builds `ports.csv`: the ports that Luxwake knows. Run: `python -m geo.tables.build_ports [--check WPI.csv.gz]`.

Two sources. The table of the searoute package (Apache-2.0): wide, but its positions are of mixed quality (measured
against the World Port Index: one in ten of the shared codes is more than 10 km off, one in eighty more than 200 km).
And `HAND_CHECKED`, typed here for the ports of north-east Asia that cases need: the position is at the berths or the
harbour mouth, compared with the World Port Index and with the shore table (`tests/test_ports.py` repeats the latter).

`--check` reads NGA's World Port Index (UpdatedPub150.csv, US public domain) and prints where it disagrees with us;
nothing of it goes into the table.

Sonbong and Tanchon have no code in any source at hand. They get a code with the digit 0, which UN/LOCODE never issues
("digits 2 through 9 may be used"), so that it can never be taken for an official one.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib.util
import json
from collections import Counter
from pathlib import Path

from geo.sphere import distance_m

HEADER = ("locode", "name", "country", "lat", "lon", "quality", "aliases")
Row = tuple[str, str, str, float, float, str, str]

HAND_CHECKED: tuple[tuple[str, str, float, float, str], ...] = (
    ("KRPUS", "Busan", 35.103, 129.052, "Pusan;Fusan;부산;釜山;Пусан"),
    ("KRBNP", "Busan New Port", 35.075, 128.795, "Pusan New Port;Gadeok;부산신항"),
    ("KRUSN", "Ulsan", 35.497, 129.385, "Urusan;울산;蔚山"),
    ("KRKPO", "Pohang", 36.025, 129.400, "Pohang New Port;포항;浦項"),
    ("KRINC", "Incheon", 37.462, 126.620, "Inchon;Jinsen;Chemulpo;인천;仁川"),
    ("KRPTK", "Pyeongtaek", 36.975, 126.830, "Pyongtaek;Pyeongtaek Dangjin;평택;平澤"),
    ("KRKUV", "Gunsan", 35.972, 126.610, "Kunsan;군산;群山"),
    ("KRKAN", "Gwangyang", 34.905, 127.670, "Kwangyang;광양;光陽"),
    ("KRTGH", "Donghae", 37.495, 129.135, "Tonghae;KRTGA;동해"),
    ("JPOSA", "Osaka", 34.645, 135.425, "Ohsaka;大阪;오사카"),
    ("JPUKB", "Kobe", 34.675, 135.205, "神戸"),
    ("JPKIJ", "Niigata", 37.940, 139.065, "Niigata-nishi;新潟"),
    ("JPTOY", "Toyama", 36.757, 137.225, "富山"),
    ("JPFTX", "Fushiki-Toyama", 36.775, 137.115, "Fushiki;Toyama Shinko;Shinminato;伏木富山"),
    ("JPMAI", "Maizuru", 35.475, 135.350, "舞鶴"),
    ("JPSKT", "Sakata", 38.935, 139.810, "酒田"),
    ("JPKSM", "Kashima", 35.930, 140.695, "鹿島"),
    ("JPKNM", "Kanmon", 33.945, 130.945, "関門"),
    ("JPSOM", "Soma", 37.840, 140.960, "相馬"),
    ("CNDLC", "Dalian", 38.935, 121.655, "CNDAL;Dairen;Talien;大连;大連;Далянь"),
    ("CNTAO", "Qingdao", 36.025, 120.235, "CNQDG;Tsingtao;Qianwan;青岛;青島;Циндао"),
    ("CNSHA", "Shanghai", 31.355, 121.600, "CNSGH;Waigaoqiao;上海;Шанхай"),
    ("CNDDG", "Dandong", 39.820, 124.155, "CNDDZ;Dadong;Donggang;丹东;丹東"),
    ("CNYNT", "Yantai", 37.555, 121.390, "CNYTG;Chefoo;烟台;煙台"),
    ("CNTSN", "Tianjin", 38.980, 117.760, "CNTXG;CNXGG;Tianjinxingang;Tientsin;天津;Тяньцзинь"),
    ("RUVVO", "Vladivostok", 43.105, 131.893, "Wladiwostok;海参崴;블라디보스토크;ウラジオストク"),
    ("RUNJK", "Nakhodka", 42.803, 132.885, "Nachodka;나홋카;ナホトカ"),
    ("RUVYP", "Vostochny", 42.748, 133.065, "Vostochnyy;Vostochniy;Wrangel"),
    ("RUSKA", "Slavyanka", 42.860, 131.385, "Slavianka"),
    ("RUZAR", "Zarubino", 42.635, 131.090, "Troitsa"),
    ("RUPSE", "Posyet", 42.652, 130.803, "Posiet;Pos'yet"),
    ("RUVNN", "Vanino", 49.085, 140.275, ""),
    ("RUSOG", "Sovetskaya Gavan", 48.968, 140.278, "Sovgavan"),
    ("RUKHO", "Kholmsk", 47.048, 142.045, "Maoka"),
    ("RUKOR", "Korsakov", 46.625, 142.765, "Otomari"),
    ("KPCHO", "Chongjin", 41.766, 129.825, "Ch'ongjin;Seishin;Chungjin;청진;清津;淸津;Чхонджин"),
    ("KPNJN", "Rajin", 42.238, 130.290, "Najin;KPRJN;Rason;Rashin;Rajin-Sonbong;라진;나진;羅津;罗津;Раджин"),
    ("KP0SB", "Sonbong", 42.333, 130.400, "Unggi;Senbong;선봉;先鋒;웅기"),
    ("KPHGM", "Hungnam", 39.828, 127.620, "Hamhung;Konan;흥남;興南;兴南"),
    ("KPWON", "Wonsan", 39.170, 127.442, "Gensan;원산;元山;Вонсан"),
    ("KPNAM", "Nampo", 38.718, 125.402, "Nampho;Chinnampo;남포;南浦;Нампхо"),
    ("KPHAE", "Haeju", 38.000, 125.705, "Kaishu;해주;海州"),
    ("KPSGN", "Songnim", 38.735, 125.622, "Songrim;Kyomipo;송림;松林"),
    ("KP0TC", "Tanchon", 40.415, 128.920, "Danchon;단천;端川"),
    ("KPSON", "Kimchaek", 40.665, 129.203, "Songjin;Kim Chaek;Joshin;김책;金策;성진;城津"),
    ("KRYOS", "Yeosu", 34.7384, 127.7490, "Yosu;Reisui;여수;麗水"),
    ("KRMOK", "Mokpo", 34.780, 126.380, "Moppo;목포;木浦"),
    ("KRMUK", "Mukho", 37.550, 129.117, "Mugho;묵호"),
    ("CNNGB", "Ningbo", 29.940, 121.880, "Beilun;CNNBO;Ningbo-Zhoushan;宁波;寧波"),
    ("CNZOS", "Zhoushan", 30.000, 122.100, "Dinghai;Ningbo-Zhoushan;舟山"),
    ("CNLKU", "Longkou", 37.655, 120.315, "Lungkow;龙口;龍口"),
    ("CNRZH", "Rizhao", 35.385, 119.565, "Shijiusuo;日照"),
    ("CNSHP", "Qinhuangdao", 39.915, 119.615, "Chinwangtao;秦皇岛;秦皇島"),
    ("CNLYG", "Lianyungang", 34.745, 119.450, "连云港;連雲港"),
    ("CNYIK", "Yingkou", 40.690, 122.235, "Newchwang;营口;營口"),
    ("CNBAY", "Bayuquan", 40.300, 122.085, "CNBYQ;鲅鱼圈"),
    ("CNJNZ", "Jinzhou", 40.795, 121.075, "锦州;錦州"),
    ("CNWEI", "Weihai", 37.505, 122.130, "CNWEG;Weihaiwei;威海"),
    ("CNSHD", "Shidao", 36.885, 122.425, "石岛;石島"),
    ("CNTAS", "Tangshan", 39.210, 119.010, "CNTGS;Jingtang;唐山;京唐"),
    ("CNLSH", "Lushun", 38.795, 121.245, "Port Arthur;Ryojun;旅顺;旅順"),
    ("TWKHH", "Kaohsiung", 22.610, 120.275, "Kao-Hsiung;Takao;Gaoxiong;高雄"),
    ("TWKEL", "Keelung", 25.140, 121.745, "Chi-Lung;Jilong;Kirun;基隆"),
    ("TWTXG", "Taichung", 24.285, 120.515, "Tai-Chung;台中;臺中"),
)
"""(code, name, lat, lon, aliases). KPSON is Songjin, today Kimchaek, in searoute and in the World Port Index alike:
not Sonbong, whose code is unknown here. Large ports have berths up to 25 km apart; the point is at those named."""

OTHER_NAMES = {
    "AONDD": "Novo Redondo",
    "AOSZA": "San Antonio do Zaire",
    "ATVIE": "Wien",
    "BEANR": "Antwerp;Anvers",
    "CLEAI": "Isla de Pascua",
    "CLIPC": "Easter Island",
    "CNCAN": "Canton",
    "CNFOC": "Foochow",
    "CNNKG": "Nanking",
    "CNSWA": "Swatow",
    "CNXMN": "Amoy",
    "CUHAV": "La Habana",
    "DKAAR": "Århus",
    "DKCPH": "København",
    "DZALG": "Algiers",
    "EGALY": "El Iskandariya",
    "GLJAK": "Ilulissat",
    "GLJAV": "Jakobshavn",
    "GLJCH": "Christianshaab",
    "GLJFR": "Fredrikshaab",
    "GLJGO": "Godhavn",
    "GLJHS": "Holsteinsborg",
    "GLJJU": "Julianehaab",
    "GLSUK": "Manitsoq",
    "GRSKG": "Salonika",
    "HRPLE": "Kardeljevo",
    "INMAA": "Madras",
    "ITGOA": "Genoa",
    "ITLIV": "Leghorn",
    "ITNAP": "Naples",
    "KHSIH": "Kampong Saom;Kompong Som",
    "MATNG": "Tanger;Tangiers",
    "MGDIE": "Antsiranana",
    "MMRGN": "Yangon;Rangoon",
    "MYBUT": "Bagan Luar",
    "NLVLI": "Flushing",
    "PHGES": "Dadiangas",
    "PLGDN": "Danzig",
    "PTLIS": "Lisboa;Lisbon",
    "PTOPO": "Porto;Oporto",
    "RULED": "Leningrad",
    "SAJED": "Jidda",
    "SEGOT": "Gothenburg;Göteborg",
    "SYLTK": "Lattakia",
    "TRIST": "Constantinople",
    "TRIZM": "Smyrna",
    "TTLAB": "La Brea",
    "UAMPW": "Zhdanov",
    "UAODS": "Odesa",
    "VNSGN": "Saigon",
}
"""Old and other names by code: those of UN/LOCODE's list of aliases that name a port of the table, and well-known
names in English and from before a renaming."""

SAME = {
    "ANWIL": "CWWIL",
    "BNMUH": "BNMUA",
    "CASJN": "CASJB",
    "CNHKG": "HKHKG",
    "CSBAR": "MEBAR",
    "GLCHR": "GLJCH",
    "GLHOL": "GLJHS",
    "GLJUL": "GLJJU",
    "KHKOS": "KHSIH",
    "KRKWA": "KRKAN",
    "LCPCS": "LCCAS",
}
"""Two codes of one harbour in searoute's table, of states that are no more among them: the second is kept, and
the first is another code of it."""

KEPT: dict[str, tuple[int, str]] = {
    "USPWM": (1, "Portland (Me)"),
    "USPAE": (1, "Everett"),
    "CNLZH": (1, "Liuzhou"),
}
"""Codes that the table gives to two far places: the row that is right, and its name. All others: the first row."""


def searoute_rows() -> tuple[list[Row], Counter[str]]:
    """Rows of searoute's table, one a code, and what was put aside by reason."""
    spec = importlib.util.find_spec("searoute")  # not imported: that would build its whole network
    if spec is None or spec.origin is None:
        raise SystemExit("searoute is not installed: pip install searoute")
    features = json.loads((Path(spec.origin).parent / "data" / "ports.geojson").read_text("utf-8"))["features"]
    found: dict[str, list[tuple[str, float, float]]] = {}
    counts: Counter[str] = Counter()
    for feature in features:
        lon, lat = feature["geometry"]["coordinates"]
        code = feature["properties"]["port"]
        if len(code) != 5:
            counts["code without five characters"] += 1
            continue
        found.setdefault(code, []).append((" ".join(feature["properties"]["name"].split()), lat, lon))
    rows: list[Row] = []
    for code, places in found.items():
        kept, name = KEPT.get(code, (0, places[0][0]))
        lat, lon = places[kept][1:]
        aliases = []
        for other, (other_name, other_lat, other_lon) in enumerate(places):
            if other == kept:
                continue
            if distance_m(lat, lon, other_lat, other_lon) > 50_000.0:
                counts["second place of a code, far from the first"] += 1
            else:
                counts["second row of a code, kept as alias"] += 1
                aliases.append(other_name)
        rows.append((code, name, code[:2], lat, lon, "table", ";".join(sorted(set(aliases) - {name}))))
    return rows, counts


def all_rows() -> tuple[list[Row], Counter[str]]:
    """The table: hand-checked rows in place of searoute's, sorted by code."""
    rows, counts = searoute_rows()
    merged = {row[0]: row for row in rows}
    for code, name, lat, lon, aliases in HAND_CHECKED:
        names = set(filter(None, aliases.split(";")))
        if code in merged:
            counts["replaced by a hand-checked row"] += 1
            names |= {merged[code][1], *filter(None, merged[code][6].split(";"))} - {name}
        merged[code] = (code, name, code[:2], lat, lon, "hand-checked", ";".join(sorted(names)))
    for code, kept in SAME.items():
        counts["second code of a harbour, kept as alias"] += 1
        names = {code, merged[code][1], *merged[code][6].split(";"), *merged[kept][6].split(";")}
        merged[kept] = (*merged[kept][:6], ";".join(sorted(names - {"", merged[kept][1]})))
        del merged[code]
    for code, names_given in OTHER_NAMES.items():
        names = {*merged[code][6].split(";"), *names_given.split(";")} - {"", merged[code][1]}
        merged[code] = (*merged[code][:6], ";".join(sorted(names)))
    return [merged[code] for code in sorted(merged)], counts


def compare(rows: list[Row], path: Path) -> None:
    """Print how far each hand-checked port is from the World Port Index, and how the table does as a whole."""
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as lines:
        index = [
            (r["UN/LOCODE"].replace(" ", ""), r["Main Port Name"], float(r["Latitude"]), float(r["Longitude"]))
            for r in csv.DictReader(lines)
        ]
    by_code = {entry[0]: entry for entry in index if entry[0]}
    far: Counter[int] = Counter()
    for code, name, _, lat, lon, quality, aliases in rows:
        entry = next((by_code[c] for c in (code, *aliases.split(";")) if c in by_code), None)
        if entry is not None and quality == "table":
            far[sum(distance_m(lat, lon, entry[2], entry[3]) > limit for limit in (10e3, 50e3, 200e3))] += 1
        if quality == "hand-checked":
            nearest = min(index, key=lambda e: distance_m(lat, lon, e[2], e[3]))
            apart = distance_m(lat, lon, nearest[2], nearest[3]) / 1000.0
            print(f"{code} {name}: {apart:.1f} km from {nearest[1]} ({nearest[0] or 'no code'})")
    print(
        f"table: {sum(far.values())} codes shared; over 10/50/200 km off: "
        f"{far[1] + far[2] + far[3]}/{far[2] + far[3]}/{far[3]}"
    )


def main() -> None:
    """Write the table beside this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", type=Path, metavar="WPI.csv.gz", help="compare with the World Port Index")
    options = parser.parse_args()
    rows, counts = all_rows()
    path = Path(__file__).parent / "ports.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows((*row[:3], f"{row[3]:.4f}", f"{row[4]:.4f}", *row[5:]) for row in rows)
    for reason, number in sorted(counts.items()):
        print(f"{reason}: {number}")
    print(f"{path.name}: {len(rows)} ports, {path.stat().st_size:,} bytes")
    if options.check is not None:
        compare(rows, options.check)


if __name__ == "__main__":
    main()
