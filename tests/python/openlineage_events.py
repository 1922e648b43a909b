"""Builds OpenLineage events with the classes of OpenLineage's own client, which are generated from the published
JSON Schemas: a key that no schema has, a value of another type and a facet in the wrong place are refused.

    openlineage_events.py EVENTS.ndjson      prints how many facets of which schema there were
"""

import collections
import enum
import importlib
import json
import pkgutil
import sys
import types
import typing
from datetime import datetime
from urllib.parse import urlparse

import attr
import openlineage.client.generated as generated
from openlineage.client.generated import base

FACETS = {}
for found in pkgutil.iter_modules(generated.__path__):
    module = importlib.import_module(f"{generated.__name__}.{found.name}")
    for thing in vars(module).values():
        if isinstance(thing, type) and issubclass(thing, base.BaseFacet):
            FACETS[thing._get_schema()] = thing

seen = collections.Counter()


def build(kind, value, path):
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        rest = [one for one in arguments if one is not type(None)]
        assert len(rest) == 1, f"{path}: {kind}"
        return build(rest[0], value, path)
    if origin is list:
        assert isinstance(value, list), f"{path} is no list"
        return [build(arguments[0], one, f"{path}[{at}]") for at, one in enumerate(value)]
    if origin is dict:
        assert isinstance(value, dict), f"{path} is no mapping"
        return {key: build(arguments[1], one, f"{path}.{key}") for key, one in value.items()}
    if attr.has(kind):
        return build_class(kind, value, path)
    if issubclass(kind, enum.Enum):
        return kind(value)
    assert type(value) is kind, f"{path} is {type(value)}, not {kind}"
    return value


def build_class(kind, value, path):
    if issubclass(kind, base.BaseFacet):
        declared, kind = kind, FACETS[value["_schemaURL"]]
        assert issubclass(kind, declared), f"{path}: {kind} is no {declared}"
        name = path.rsplit(".", 1)[1].lower()
        assert kind.__name__.lower().startswith(name), f"{path}: a {kind}"
        assert urlparse(value["_producer"]).scheme, path
        seen[value["_schemaURL"]] += 1
    hints = typing.get_type_hints(kind)
    left, given = dict(value), {}
    fixed = {}
    for field in attr.fields(kind):
        if field.name not in left:
            continue
        built = build(hints[field.name], left.pop(field.name), f"{path}.{field.name}")
        if field.init:
            given[field.alias or field.name.lstrip("_")] = built
        else:
            fixed[field.name] = built
    assert not left, f"{path}: no schema has {sorted(left)}"
    made = kind(**given)
    for name, built in fixed.items():
        assert getattr(made, name) == built, f"{path}.{name}"
    return made


with open(sys.argv[1], encoding="utf-8") as lines:
    for number, line in enumerate(lines):
        event = build(base.RunEvent, json.loads(line), f"event {number}")
        assert datetime.fromisoformat(event.eventTime).tzinfo is not None, event.eventTime
        assert urlparse(event.producer).scheme, event.producer
print(json.dumps(seen, sort_keys=True))
