"""Measurements of Luxwake: `python -m benchmarks [PART ...] [--quick]` prints them as tables.

Parts: `quality` (what the detectors find of a scripted truth), `speed` (positions a second, memory, compile time),
`peers` (the same input through another decoder, as a ratio) and `real` (every real file beside the checkout).
"""
