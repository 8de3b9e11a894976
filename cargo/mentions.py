"""The parties that rows of shipments name, as mentions: by role, with address, country and numbers where given."""

from __future__ import annotations

from cargo.party_clusters import Mention
from cargo.shipments import Shipments
from cargo.ships import flag_code

ROLES = {
    "shipper": "shipper", "consignee": "consignee", "notify_party": "notify", "carrier": "carrier",
    "forwarder": "forwarder", "broker": "broker", "manufacturer": "manufacturer",
}  # fmt: skip
"""Column of the name by role, and how the columns of its address, country and numbers begin."""
_NUMBERS = {
    "id": "tax", "tax_number": "tax", "registration_number": "registration", "phone": "phone", "email": "email",
}  # fmt: skip


def mentions_of(shipments: Shipments) -> list[Mention]:
    """One mention for each party that each row names.

    Columns: `shipper`, `shipper_address`, `shipper_country`, `shipper_id` (a tax or other number), `shipper_phone`,
    `shipper_email`, and so for `consignee`, `notify_party` (`notify_address`, ...), `carrier`, `forwarder`,
    `broker`, `manufacturer`. A country is read from the end of the address where no column gives it.
    """
    rows, found = shipments["row"].tolist(), []
    present = set(shipments)
    for role, begin in ROLES.items():
        if role not in present:
            continue
        columns = {
            end: shipments[f"{begin}_{end}"].tolist()
            for end in ("address", "country", *_NUMBERS)
            if f"{begin}_{end}" in present
        }
        for i, name in enumerate(shipments[role].tolist()):
            if not name:
                continue
            told = {end: str(column[i] or "") for end, column in columns.items()}
            numbers = tuple((kind, told[end]) for end, kind in _NUMBERS.items() if told.get(end))
            country = flag_code(told.get("country", ""))
            found.append(Mention(rows[i], role, str(name), told.get("address", ""), country, numbers))
    return found
