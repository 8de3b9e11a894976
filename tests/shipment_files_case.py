"""x"""

from __future__ import annotations

import csv
import io

DAY = 86_400_000_000
HEADER = ["BL_NO", "SHIPPER_NAME", "CONSIGNEE_NAME", "HS_CODE", "PRODUCT_DESCRIPTION", "LOADING_PORT", "UNLOADING_PORT",
          "ARRIVAL_DATE", "GROSS_WEIGHT", "VESSEL_NAME", "VALUE_IN_USD", "QUANTITY", "UNIT"]  # fmt: skip
ROWS = [
    ["LX1", "Adige Motori Srl", "TO ORDER", "8703.24", "used cars", "KRPUS", "RUVVO", "2018-10-01", "1200",
     "SEA LARK 5", "5000.5", "2", "UNT"],
    ["LX2", "Suisho Boeki KK", "N/A", "870323", "a, b", "NLRTM", "CNDLC", "2018-10-31", "900.25", "", "", "7", "PCS"],
]  # fmt: skip


def csv_text(header=HEADER, rows=ROWS, separator=","):
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows([header, *rows])
    return out.getvalue()
