"""Names of places for sentences: ports, and the regions by which a finding speaks of them."""

from __future__ import annotations

_FAR_EAST_LON = 125.0  # degrees east: Russian ports beyond it lie on the Pacific
_COUNTRIES = {
    "AE": "the United Arab Emirates",
    "AU": "Australia",
    "BE": "Belgium",
    "CA": "Canada",
    "CN": "China",
    "DE": "Germany",
    "ES": "Spain",
    "FR": "France",
    "GB": "the United Kingdom",
    "HK": "Hong Kong",
    "ID": "Indonesia",
    "IN": "India",
    "IR": "Iran",
    "IT": "Italy",
    "JP": "Japan",
    "KP": "the DPRK",
    "KR": "the Republic of Korea",
    "MY": "Malaysia",
    "NL": "the Netherlands",
    "PH": "the Philippines",
    "RU": "Russia",
    "SG": "Singapore",
    "SY": "Syria",
    "TH": "Thailand",
    "TR": "Türkiye",
    "TW": "Taiwan",
    "US": "the United States",
    "VN": "Viet Nam",
}


def region(country: str, lon_deg: float) -> str:
    """The region of a port in words; the country's code where no word is listed.

    >>> region("RU", 132.9), region("RU", 30.2), region("KP", 129.8), region("XX", 0.0)
    ('the Russian Far East', 'Russia', 'the DPRK', 'country XX')
    """
    if country == "RU" and lon_deg > _FAR_EAST_LON:
        return "the Russian Far East"
    return _COUNTRIES.get(country, f"country {country}")


def port_region(locode: str) -> str:
    """The region of a port by its UN/LOCODE, "" unknown.

    >>> port_region("RUNJK"), port_region("")
    ('the Russian Far East', '')
    """
    from geo.ports import port_by_code

    port = port_by_code(locode) if locode else None
    return region(port.country, port.lon) if port else ""


def port_name(locode: str) -> str:
    """A port's name, its code where the name is not known.

    >>> port_name("RUNJK"), port_name("")
    ('Nakhodka', 'port unknown')
    """
    from geo.ports import port_by_code

    port = port_by_code(locode) if locode else None
    return port.name if port else locode or "port unknown"
