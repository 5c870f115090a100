"""Decision logic: contexts in, decisions out. Needs numpy and onnxruntime only; no HTTP, no SQL."""
