"""The daemon: live feeds in, events out as they happen, and nothing lost when it is killed.

    sources (threads) -> intakes (bounded) -> core: journal, parse, watch, store (one transaction) -> sinks (threads)

What has come in is journalled before it is looked at, and what follows from it is committed together with the number
of the journal's record. A start after a kill takes the last checkpoint and goes through the journal again; the same
records give the same changes, and those committed before are known by that number.
"""
