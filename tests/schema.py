"""YAML as an editor's validator reads it (1.2, core schema: no dates, and yes is a text), and what a JSON Schema says of it."""
import re

import jsonschema
import yaml


class Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}


for tag, pattern, first in [("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]), ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
                            ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
                            ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+0123456789."))]:
    Loader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(pattern), first)


def load(text):
    return yaml.load(text, Loader=Loader)


def complaints(validator, text):
    """The deepest complaint of each part that does not fit: ["machines/conduct: …"]."""
    out = []
    for error in validator.iter_errors(load(text)):
        best = jsonschema.exceptions.best_match([error])
        out.append("/".join(map(str, best.absolute_path)) + ": " + best.message[:200])
    return out


def validator(schema):
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)
