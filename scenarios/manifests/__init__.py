"""Manifests in: files to documents with places, documents to the model's values."""

from scenarios.manifests.build import typed
from scenarios.manifests.documents import Document, Documents, Unreadable
from scenarios.manifests.loader import load

__all__ = ["Document", "Documents", "Unreadable", "load", "typed"]
