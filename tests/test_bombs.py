"""Small files that would be large: refused, or read piece by piece in bounded memory, and never a traceback."""

import gzip
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import luxwake as lw
from geo.errors import LuxwakeError

ROOT = Path(__file__).resolve().parents[1]
MIB = 1 << 20
PACKED_MIB, LINE_MIB, MOST_MIB = 256, 64, 512
READ = """
import sys
import luxwake as lw
from geo.errors import LuxwakeError
for path in sys.argv[1:]:
    try:
        fixes = lw.read(path)
        print(len(fixes), "rows:", *fixes.counts)
    except LuxwakeError as error:
        print("refused:", str(error)[:200].replace(path, ""))
with open("/proc/self/status") as status:
    print(next(line for line in status if line.startswith("VmHWM")).split()[1])
"""


@pytest.fixture(scope="module")
def bombs(tmp_path_factory):
    """Files by what is said of them."""
    zstandard = pytest.importorskip("zstandard")
    folder, zeros = tmp_path_factory.mktemp("bombs"), bytes(MIB)
    with gzip.open(folder / "zeros.csv.gz", "wb", 9) as file:
        for _ in range(PACKED_MIB):
            file.write(zeros)
    with gzip.open(folder / "lines.nmea.gz", "wb", 9) as file:
        for _ in range(PACKED_MIB):
            file.write(b"!AIVDM,1,1,,A,garbage,0*00\n" * (MIB // 27))
    with zipfile.ZipFile(folder / "zeros.zip", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.csv", "w") as one:
        for _ in range(PACKED_MIB):
            one.write(zeros)
    with zipfile.ZipFile(folder / "nested.zip", "w") as archive:
        archive.write(folder / "zeros.zip", "zeros.zip")
    wide = zstandard.ZstdCompressionParameters(window_log=31, enable_ldm=True)
    compressor = zstandard.ZstdCompressor(compression_params=wide)
    with (folder / "window.nmea.zst").open("wb") as file, compressor.stream_writer(file) as packed:
        for _ in range(16):
            packed.write(os.urandom(4096) + zeros)
    (folder / "line.csv").write_bytes(b"MMSI,BaseDateTime,LAT,LON\n" + b"1" * (LINE_MIB * MIB))
    names = ",".join(f"c{k}" for k in range(1_000_000))
    (folder / "columns.csv").write_text(f"{names}\n{names}\n")
    (folder / "deep.json").write_text("[" * 100_000 + "]" * 100_000)
    (folder / "deep.jsonl").write_text('{"a":' * 100_000 + "1" + "}" * 100_000 + "\n")
    return {
        "zeros.csv.gz": "refused: : not AIS: binary data",
        "lines.nmea.gz": "0 rows: checksum differs",
        "zeros.zip": "refused: : no AIS data in this archive",
        "nested.zip": "refused: /zeros.zip: a zip archive cannot be read inside a zip archive",
        "window.nmea.zst": "refused: : zstd stream",
        "line.csv": "0 rows: line over 1 MiB",
        "columns.csv": "refused: : not AIS",
        "deep.json": "refused: : not AIS",
        "deep.jsonl": "refused: : not AIS",
    }, folder


def test_no_bomb_goes_off(bombs):
    said, folder = bombs
    paths = [str(folder / name) for name in said]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", READ, *paths]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
    *found, most_kib = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    for line, words in zip(found, said.values(), strict=True):
        assert line.startswith(words), line
    assert int(most_kib) < MOST_MIB * 1024


def test_a_parquet_file_that_lies_is_refused_or_read(tmp_path):
    """Sizes and numbers of rows in its footer and pages, changed at random."""
    t = 1_700_000_000_000_000 + np.arange(100) * 60_000_000
    whole = tmp_path / "whole.parquet"
    columns = {"t": t, "mmsi": np.full(100, 671999101), "lat": np.full(100, 35.0), "lon": np.full(100, 129.0)}
    lw.write_parquet(lw.Fixes(columns), whole)
    data, rng = whole.read_bytes(), random.Random(3)
    assert len(lw.read(whole)) == 100
    refused = 0
    for k in range(150):
        lying = bytearray(data)
        footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
        for _ in range(rng.randint(1, 4)):
            lying[rng.randrange(footer, len(data) - 4) if k % 2 else rng.randrange(4, footer)] ^= 1 << rng.randrange(8)
        path = tmp_path / "lying.parquet"
        path.write_bytes(bytes(lying))
        try:
            lw.read(path)
        except LuxwakeError:
            refused += 1
    assert refused > 20
