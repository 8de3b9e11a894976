"""Tables that detectors read, and the scripts that make them."""
