"""Ports: by code, by name, and which one is nearest. A finding names `ports_version()`, the table that it rests on."""

from geo.port_grid import NearPort, PortIndex, nearest_port, nearest_port_at, port_index, ports_near
from geo.port_names import Candidate, PortMatch, ports_matching
from geo.port_table import Port, port_by_code, ports, ports_version, shipped_ports

__all__ = [
    "Candidate",
    "NearPort",
    "Port",
    "PortIndex",
    "PortMatch",
    "nearest_port",
    "nearest_port_at",
    "port_by_code",
    "port_index",
    "ports",
    "ports_matching",
    "ports_near",
    "ports_version",
    "shipped_ports",
]
