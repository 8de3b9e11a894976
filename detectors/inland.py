"""Where a ship cannot be: farther inland than the mask of land errs, and on no water that ships sail.

The mask (`geo.coast`) takes rivers, canals, lakes, the Caspian Sea and small harbours for land. So a position counts as
on land when the shore is farther than `min_inland_m`, the nearest port of the table farther than `port_m`, and none of
the waterways below nearer than its width. Ports stand on most of them; the lines bridge the way between. Not covered:
smaller rivers and lakes (the Amazon above Manaus, the Yenisei, Lake Titicaca, reservoirs), so an event there means
nothing; and false positions on a harbour or within `port_m` of one.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geo.kernel import inner
from geo.sphere import EARTH_RADIUS_M, wrap_deg

WATERWAYS: tuple[tuple[str, float, tuple[tuple[float, float], ...]], ...] = (
    ("Great Lakes, west", 170, ((46.8, -92.0), (47.6, -87.5), (46.5, -84.5))),
    ("Lakes Michigan and Huron", 150, ((41.7, -87.3), (44.0, -86.9), (45.8, -84.8), (44.7, -82.4), (43.0, -82.4))),
    ("Great Lakes, east, and St Lawrence", 90, ((42.3, -83.1), (42.2, -81.2), (42.9, -78.9), (43.6, -77.8),
     (44.3, -76.2), (45.5, -73.5), (47.5, -70.0))),
    ("Mississippi and Illinois", 40, ((29.0, -89.3), (30.0, -90.1), (30.5, -91.2), (32.3, -90.9), (34.5, -90.6),
     (37.0, -89.2), (38.6, -90.2), (41.5, -90.6), (44.9, -93.1))),
    ("Illinois", 40, ((38.9, -90.4), (40.7, -89.6), (41.7, -87.6))),
    ("Ohio", 40, ((37.0, -89.2), (38.0, -87.5), (38.3, -85.8), (39.1, -84.5), (38.4, -82.4), (40.4, -80.0))),
    ("Tennessee and Tombigbee", 50, ((37.0, -88.5), (34.9, -88.2), (34.7, -86.6), (35.0, -85.3))),
    ("Tombigbee", 40, ((34.9, -88.2), (32.5, -87.8), (30.7, -88.0))),
    ("Columbia and Snake", 30, ((46.2, -123.8), (45.6, -122.7), (45.7, -121.2), (46.2, -119.0), (46.4, -117.0))),
    ("Hudson and Erie Canal", 25, ((40.8, -74.0), (42.7, -73.7), (43.1, -76.2), (42.9, -78.9))),
    ("Rhine", 30, ((51.9, 4.3), (51.8, 6.1), (50.9, 7.0), (50.0, 8.3), (48.6, 7.8), (47.6, 7.6))),
    ("Main and Danube", 30, ((50.0, 8.3), (50.1, 9.0), (49.9, 10.9), (49.0, 12.1), (48.3, 14.3), (48.2, 16.4),
     (47.8, 18.9), (45.8, 18.9), (44.8, 20.5), (44.6, 22.6), (43.8, 25.9), (44.3, 28.0), (45.3, 28.1), (45.2, 29.7))),
    ("Neckar and Moselle", 25, ((49.5, 8.5), (48.8, 9.2))),
    ("Moselle", 25, ((50.4, 7.6), (49.8, 6.6), (49.1, 6.2))),
    ("Seine", 25, ((49.4, 0.2), (49.4, 1.1), (48.9, 2.3), (48.4, 3.0))),
    ("Rhone and Saone", 25, ((43.4, 4.8), (44.9, 4.8), (45.8, 4.8), (47.1, 5.4))),
    ("Elbe and Havel", 30, ((53.6, 10.0), (52.1, 11.6), (51.1, 13.7), (50.7, 14.0))),
    ("Havel and Oder", 30, ((52.1, 11.6), (52.5, 13.3), (52.9, 14.1), (53.4, 14.6))),
    ("Mittelland and Dortmund-Ems Canal", 25, ((51.5, 7.4), (52.3, 7.6), (52.4, 9.7), (52.2, 11.6))),
    ("Kiel Canal", 20, ((53.9, 9.1), (54.3, 9.7), (54.4, 10.1))),
    ("Po and Garda", 30, ((45.0, 12.3), (45.1, 10.7), (45.5, 10.7))),
    ("Gota River and Vanern", 60, ((57.7, 11.9), (58.4, 12.3), (58.9, 13.3))),
    ("Saimaa", 60, ((60.7, 28.8), (61.1, 28.3), (62.3, 28.5))),
    ("Neva, Ladoga, Svir and Onega", 80, ((59.9, 30.4), (60.8, 31.5), (60.9, 34.0), (61.8, 35.3), (60.0, 37.8))),
    ("White Sea Canal", 30, ((61.8, 35.3), (62.9, 34.8), (64.5, 34.8))),
    ("Volga", 50, ((60.0, 37.8), (58.2, 38.5), (57.6, 39.9), (56.3, 44.0), (55.8, 49.0), (53.2, 50.0), (51.5, 46.0),
     (48.7, 44.5), (46.3, 48.0), (45.5, 47.8))),
    ("Moscow Canal and Oka", 20, ((56.8, 37.2), (55.8, 37.5), (55.1, 38.8), (56.3, 44.0))),
    ("Don and Volga-Don Canal", 40, ((47.1, 39.4), (47.6, 42.1), (48.5, 44.0), (48.6, 44.6))),
    ("Dnieper", 40, ((46.6, 32.6), (47.5, 34.6), (48.5, 35.0), (49.4, 32.1), (50.5, 30.5))),
    ("Caspian Sea, north", 300, ((45.5, 50.0), (43.0, 50.5))),
    ("Caspian Sea, south", 240, ((43.0, 50.5), (38.0, 51.5))),
    ("Lake Baikal", 60, ((51.6, 104.5), (53.5, 108.0), (55.6, 109.6))),
    ("Suez Canal", 25, ((31.3, 32.3), (30.4, 32.4), (29.9, 32.6))),
    ("Nile", 30, ((31.4, 31.0), (30.1, 31.2), (25.7, 32.6), (24.1, 32.9))),
    ("Lake Victoria", 190, ((-1.0, 33.0), (-1.2, 32.8))),
    ("Panama Canal", 25, ((9.4, -79.9), (8.9, -79.5))),
    ("Lake Maracaibo", 70, ((11.0, -71.6), (9.5, -71.5))),
    ("Orinoco", 40, ((8.6, -61.0), (8.3, -62.7), (7.6, -66.2))),
    ("Amazon", 50, ((0.0, -50.0), (-1.5, -52.5), (-2.4, -54.7), (-3.1, -58.4), (-3.1, -60.0))),
    ("Parana and Paraguay", 40, ((-34.3, -58.5), (-32.9, -60.6), (-31.7, -60.5), (-27.4, -58.8), (-25.3, -57.6))),
    ("Uruguay River", 30, ((-34.2, -58.2), (-32.3, -58.1))),
    ("Lagoa dos Patos", 50, ((-32.1, -52.1), (-30.0, -51.2))),
    ("Yangtze", 40, ((31.5, 121.5), (32.2, 119.5), (31.3, 118.4), (30.5, 117.0), (29.7, 116.0), (30.6, 114.3),
     (29.4, 113.1), (30.3, 112.2), (30.7, 111.3), (30.8, 108.4), (29.6, 106.6))),
    ("Grand Canal of China", 30, ((30.3, 120.2), (31.6, 120.3), (32.4, 119.5), (33.6, 119.0), (34.4, 117.5))),
    ("Pearl River", 40, ((22.8, 113.5), (23.0, 112.5), (23.5, 111.3), (22.8, 108.3))),
    ("Songhua and Amur", 40, ((53.0, 140.9), (48.5, 135.1), (50.3, 127.5))),
    ("Mekong", 40, ((9.6, 106.5), (10.5, 105.3), (11.6, 104.9))),
    ("Irrawaddy", 40, ((16.0, 95.0), (19.0, 95.2), (21.9, 96.0))),
    ("Ganges, Brahmaputra and Meghna", 60, ((22.0, 90.5), (23.7, 90.4), (24.6, 91.7))),
    ("Hooghly", 25, ((21.7, 88.0), (22.6, 88.3))),
    ("Shatt al-Arab", 25, ((29.9, 48.6), (30.5, 47.8), (31.3, 48.7))),
    ("Congo", 40, ((-6.0, 12.4), (-5.8, 13.5), (-4.3, 15.3))),
)  # fmt: skip
"""Name, half width in km, and places on its way: the author's reading of the map, to a tenth of a degree."""


@cache
def waterways() -> NDArray[np.float64]:
    """The pieces of all waterways: lat and lon of both ends in degrees, half width in metres (n, 5).

    >>> waterways().shape[1]
    5
    """
    pieces = [(*a, *b, 1000.0 * km) for _, km, way in WATERWAYS for a, b in pairwise(way)]
    return np.array(pieces)


@inner
def on_waterway(ways, lat, lon):
    """Whether a position lies within the width of a waterway."""
    metre = math.radians(EARTH_RADIUS_M)
    east = metre * math.cos(math.radians(lat))
    for k in range(ways.shape[0]):
        y1 = (ways[k, 0] - lat) * metre
        width = ways[k, 4]
        y2 = (ways[k, 2] - lat) * metre
        if min(y1, y2) > width or max(y1, y2) < -width:
            continue
        x1, x2 = wrap_deg(ways[k, 1] - lon) * east, wrap_deg(ways[k, 3] - lon) * east
        dx, dy = x2 - x1, y2 - y1
        f = min(1.0, max(0.0, -(x1 * dx + y1 * dy) / (dx * dx + dy * dy)))
        x, y = x1 + f * dx, y1 + f * dy
        if x * x + y * y <= width * width:
            return True
    return False
