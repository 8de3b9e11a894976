"""The fields of a shipment row: what each means, and how its text is read."""

from __future__ import annotations

from typing import NamedTuple


class Field(NamedTuple):
    """`kind` says how a text is read; `about` is one line for people."""

    kind: str
    about: str


FIELDS: dict[str, Field] = {
    "bl_number": Field("text", "number of the bill of lading (house, where there are two)"),
    "master_bl": Field("text", "number of the master bill of lading"),
    "container": Field("container", "container number, ISO 6346; several with spaces between"),
    "vin": Field("vin", "vehicle identification number, ISO 3779"),
    "hs_code": Field("hs", "HS code as declared: 2, 4, 6 or 8 to 12 digits"),
    "description": Field("text", "goods as declared"),
    "hs_description": Field("text", "text of the tariff, not of the goods"),
    "marks": Field("text", "marks and numbers on the packages"),
    "brand": Field("text", "brand or make"),
    "model": Field("text", "model"),
    "manufacturer": Field("text", "manufacturer"),
    "quantity": Field("number", "quantity in `quantity_unit`"),
    "quantity_unit": Field("unit", "unit of the quantity"),
    "packages": Field("number", "number of packages"),
    "value": Field("money", "value of the goods in `currency`"),
    "currency": Field("currency", "ISO 4217 code of the value"),
    "gross_weight_kg": Field("weight", "gross weight, kg"),
    "gross_weight_unit": Field("text", "unit of the gross weight"),
    "net_weight_kg": Field("weight", "net weight, kg"),
    "net_weight_unit": Field("text", "unit of the net weight"),
    "teu": Field("number", "containers in units of twenty feet"),
    "incoterm": Field("incoterm", "terms of delivery, Incoterms code"),
    "shipper": Field("party", "who ships or exports"),
    "shipper_address": Field("text", "address of the shipper"),
    "shipper_country": Field("country", "country of the shipper, ISO 3166 alpha-2"),
    "shipper_id": Field("text", "tax or other number of the shipper"),
    "consignee": Field("party", "who receives or imports"),
    "consignee_address": Field("text", "address of the consignee"),
    "consignee_country": Field("country", "country of the consignee, ISO 3166 alpha-2"),
    "consignee_id": Field("text", "tax or other number of the consignee"),
    "notify_party": Field("party", "whom the carrier tells of the arrival"),
    "notify_address": Field("text", "address of the notify party"),
    "forwarder": Field("party", "freight forwarder"),
    "broker": Field("party", "customs broker or declarant"),
    "carrier": Field("party", "carrier, by name or SCAC"),
    "load_port": Field("port", "port of loading"),
    "discharge_port": Field("port", "port of discharge"),
    "last_port": Field("port", "last foreign port that the ship called at"),
    "place_of_receipt": Field("text", "place where the carrier took the goods over"),
    "origin_country": Field("country", "country of origin of the goods, ISO 3166 alpha-2"),
    "departure_country": Field("country", "country from which they were sent, ISO 3166 alpha-2"),
    "destination_country": Field("country", "country to which they go, ISO 3166 alpha-2"),
    "depart_date": Field("date", "departure of the ship"),
    "arrive_date": Field("date", "arrival of the ship"),
    "record_date": Field("date", "date of the record: declaration, registration, import or export"),
    "period": Field("text", "month or year of a row that sums up"),
    "vessel_name": Field("ship", "name of the ship"),
    "imo": Field("imo", "IMO number of the ship"),
    "mmsi": Field("mmsi", "MMSI of the ship"),
    "voyage_number": Field("text", "number of the voyage"),
    "declaration_number": Field("text", "number of the customs declaration"),
    "manifest_number": Field("text", "number of the manifest"),
    "transport_mode": Field("mode", "mode of transport"),
    "cleared": Field("cleared", "whether import customs cleared the goods"),
    "source": Field("text", "where the row is from"),
}
"""In the order in which columns are written."""
