"""The family's pages: HTML from the server, for phones, keyboards and screen readers. The use cases are those of the
API.
"""
