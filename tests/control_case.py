"""Asking control lists, as several test modules do."""

from datetime import date

import luxwake as lw

LISTS = lw.ControlLists.shipped()
OCTOBER_2018, JUNE_2017 = date(2018, 10, 1), date(2017, 6, 1)


def one(lists, **said):
    (verdict,) = [v for v in lists.check(**({"date": OCTOBER_2018, "destination": "KP"} | said)) if v.rule]
    return verdict
