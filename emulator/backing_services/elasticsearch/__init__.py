"""A fake of Elasticsearch: the part of its REST API and query DSL that the shop uses, over tantivy, in memory.

Source of every shape: Elasticsearch 8.19 reference, "REST APIs" and "Query DSL". What it does not know it answers with
400 and the name of the clause, the parameter or the endpoint, so that nothing works here and fails there.
"""

from emulator.backing_services.elasticsearch.errors import WIRE
from emulator.backing_services.elasticsearch.server import Elasticsearch

__all__ = ["WIRE", "Elasticsearch"]
