"""The mind: contexts in, decisions out. numpy and onnxruntime, no HTTP, no SQL."""
