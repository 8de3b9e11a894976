"""The figures of docs/cargo-who.md: `PYTHONPATH=.:tests python tests/measure_who.py` (about four minutes)."""

import random
import statistics
import sys
import time
from pathlib import Path

from listed_ships import LIST, query_of, rows, ship_of
from party_world import agreement, world

from cargo.addresses import address
from cargo.parties import resolve_parties
from cargo.ship_match import ShipIndex

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def parties() -> None:
    for rate in (0.0, 0.01, 0.05):
        all_pairs, told_pairs = [], []
        for seed in (201, 202, 203):
            mentions, truth = world(seed, 3000, rate=rate)
            found = resolve_parties(mentions)
            ids = [found.of[mention.row, mention.role].id for mention in mentions]
            told = [i for i, m in enumerate(mentions) if address(m.address).exact or m.identifiers]
            all_pairs.append(agreement(ids, truth))
            told_pairs.append(agreement([ids[i] for i in told], [truth[i] for i in told]))
        precision, recall = (statistics.median(column) for column in zip(*all_pairs, strict=True))
        with_more = statistics.median(recall for _, recall in told_pairs)
        print(f"parties  {rate:4.0%}  precision {precision:.3f}  recall {recall:.3f}  with more {with_more:.3f}")


def speed() -> None:
    mentions, _ = world(7, 29_000, rate=0.02)
    begin = time.process_time()
    resolve_parties(mentions)
    names = len({mention.name for mention in mentions})
    print(f"speed  {names:,} names in {len(mentions):,} mentions: {time.process_time() - begin:.1f} s CPU")


def ships(shared: Path) -> None:
    listed = rows(shared / LIST)
    index = ShipIndex(map(ship_of, listed))
    for given in ("number", "all", "no number"):
        for rate in (0.01, 0.05):
            asked = found = wrong = among = 0
            for seed in range(300, 306):
                rng = random.Random(seed)
                for row in (row for row in listed if row["imo"]):
                    asked += 1
                    me = f"sdn-{row['ent_num']}"
                    answer = index.find(query_of(row, rate=rate, rng=rng, given=given))
                    among += any(one.ship.id == me for one in answer.candidates)
                    found += answer.ship is not None and answer.ship.id == me
                    wrong += answer.ship is not None and answer.ship.id != me
            print(f"ships  {given:9}  {rate:4.0%}  {found / asked:.3f}  false {wrong}  among {among / asked:.3f}")


if __name__ == "__main__":
    parties()
    speed()
    ships(Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED)
