"""The calendar in kernels: dates to days and times since 1970."""

from __future__ import annotations

from ais.table import NAT
from geo.kernel import inner


@inner
def days_from_civil(year, month, day):
    """Days since 1970-01-01 of a date of the proleptic Gregorian calendar (H. Hinnant's algorithm)."""
    y = year - (1 if month <= 2 else 0)
    era = y // 400
    yoe = y - era * 400
    doy = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719_468


@inner
def days_in_month(year, month):
    """Length of a month."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


@inner
def civil_us(year, month, day, hour, minute, second):
    """A UTC calendar time as µs since 1970, NAT where a part is out of its range."""
    if not (1 <= month <= 12 and 1 <= day <= days_in_month(year, month)):
        return NAT
    if hour > 23 or minute > 59 or second > 60:
        return NAT
    return (days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000
