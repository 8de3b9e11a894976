"""Rows of several files of the archive into one, in order: by DuckDB, in a process that ends when it is done.

In the daemon DuckDB would take 80 MB for good, for a few seconds of work a minute. The process only writes a file that
nobody knows yet; one that outlives a killed daemon does no harm, and ends when it has nothing more to do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

NICE = 10


class Sorting:
    """The process, while it is needed."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", __name__, str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Sorting:
        """Begin."""
        return self

    def __exit__(self, *failure: object) -> None:
        """It is needed no more."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):  # a process that has ended does not take what was not written yet
                    stream.close()
        self._process.wait()

    def stop(self) -> None:
        """Break off what it does; from any thread."""
        self._process.kill()

    def sort(self, files: Sequence[Path], made: Path) -> None:
        """Write the rows of all files to one. Raises OSError where that cannot be."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(made), *map(str, files)]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise OSError("the process that merges has ended")
        if why := json.loads(answer):
            raise OSError(why)


def main() -> None:
    """The process: a line of JSON with the new file and the old ones for each work, answered by what went wrong."""
    import duckdb

    from luxwake.daemon.archive_files import merging, quoted

    with suppress(OSError):  # the hardened unit of systemd does not let it
        os.nice(NICE)
    with merging(Path(sys.argv[1])) as connection:
        for line in sys.stdin:
            made, *files = json.loads(line)
            place = made.replace("'", "''")
            try:
                connection.execute(
                    f"copy (from read_parquet({quoted(files)}, hive_partitioning = false) "
                    f"order by mmsi, t, source, \"offset\") to '{place}' (format parquet, compression zstd)"
                )
                why = ""
            except duckdb.Error as error:
                why = str(error).splitlines()[0]
            print(json.dumps(why), flush=True)


if __name__ == "__main__":
    main()
