"""What sends under an MMSI: a ship, a station ashore, a buoy, an aircraft, a distress beacon (ITU-R M.585-9).

| digits | class |
|---|---|
| MIDxxxxxx, beginning with 2 to 7 | ship |
| 00MIDxxxx | base station |
| 0MIDxxxxx | group of ships (a call to several; nothing sends under it) |
| 111xxxxxx | SAR aircraft |
| 8xxxxxxxx | handheld VHF with DSC and GNSS |
| 970xxxxxx | AIS-SART |
| 972xxxxxx | man overboard device |
| 974xxxxxx | EPIRB-AIS |
| 98xxxxxxx | craft associated with a parent ship |
| 99xxxxxxx | aid to navigation |

MID, the country, is 201 to 775 and so begins with 2 to 7. After 8, 98, 99 and 111 it is not asked for: the numbers are
given out nationally, and what they begin with is never a ship's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.kernel import inner, kernel

(
    OTHER,
    SHIP,
    BASE_STATION,
    GROUP,
    SAR_AIRCRAFT,
    HANDHELD,
    SART,
    MAN_OVERBOARD,
    EPIRB,
    AUXILIARY_CRAFT,
    AID_TO_NAVIGATION,
) = range(11)

MMSI_CLASSES = (
    "other",
    "ship",
    "base station",
    "group",
    "SAR aircraft",
    "handheld",
    "SART",
    "man overboard",
    "EPIRB",
    "auxiliary craft",
    "aid to navigation",
)
"""Text of each class."""


@inner
def class_of_mmsi(mmsi):
    """The class of one MMSI."""
    if 200_000_000 <= mmsi < 800_000_000:
        return SHIP
    if mmsi < 2_000_000 or mmsi > 999_999_999:
        return OTHER
    if mmsi < 8_000_000:
        return BASE_STATION
    if mmsi < 200_000_000:
        if 20_000_000 <= mmsi < 80_000_000:
            return GROUP
        return SAR_AIRCRAFT if mmsi // 1_000_000 == 111 else OTHER
    if mmsi < 900_000_000:
        return HANDHELD
    if mmsi >= 980_000_000:
        return AID_TO_NAVIGATION if mmsi >= 990_000_000 else AUXILIARY_CRAFT
    lead = mmsi // 1_000_000
    if lead == 970:
        return SART
    if lead == 972:
        return MAN_OVERBOARD
    return EPIRB if lead == 974 else OTHER


@kernel
def classes_of(mmsi, out):
    """The class of each MMSI into `out`."""
    for k in range(mmsi.shape[0]):
        out[k] = class_of_mmsi(np.int64(mmsi[k]))


def mmsi_class(mmsi: ArrayLike) -> NDArray[np.uint8]:
    """The class of each MMSI, after ITU-R M.585-9.

    Parameters
    ----------
    mmsi : (n,) or one, integers; what is no number of nine digits or less is "other"

    Returns
    -------
    (n,) uint8, places in `MMSI_CLASSES`

    Examples
    --------
    >>> numbers = [671999101, 6719991, 67199910, 111671999, 970999901, 999999901, 5]
    >>> [MMSI_CLASSES[code] for code in mmsi_class(numbers)]
    ['ship', 'base station', 'group', 'SAR aircraft', 'SART', 'aid to navigation', 'other']
    """
    numbers = np.ascontiguousarray(np.atleast_1d(mmsi), np.int64)
    out = np.empty(numbers.shape, np.uint8)
    classes_of(numbers.ravel(), out.ravel())
    return out
