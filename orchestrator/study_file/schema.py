"""The JSON Schema of a study file, made from the annotations by which it is read."""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from types import NoneType
from typing import Annotated, Any, Literal, get_args

from orchestrator.study_file.search.space import WiringFields
from orchestrator.study_file.sections import StudyFile
from search_spaces.annotations import About, Length, Named, Number, Pattern, Range, Rows, Target, Words
from search_spaces.settings import Form, Setting, alternatives, as_plain, notes, settings_of

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
TITLE = "Study file of the ablation orchestrator"


def study_schema() -> Schema:
    """Return the JSON Schema of a study file: every key with its type, bounds, unit, default and meaning."""
    schema = {"$schema": DIALECT, "title": TITLE, **object_schema(StudyFile)}
    schema["properties"]["factors"] = {**schema["properties"]["factors"], "additionalProperties": _factor()}
    return schema


def object_schema(
    target: Target, given: frozenset[str] = frozenset(), fixed: Mapping[str, Schema] | None = None
) -> Schema:
    """Return the schema of the settings of a class or function; `fixed` stand in front of them."""
    settings = settings_of(target, given)
    said = descriptions(target)
    properties = {**(fixed or {}), **{each.name: _setting(each, said) for each in settings}}
    required = [*(fixed or {}), *(each.name for each in settings if each.is_required)]
    first = (inspect.getdoc(target) or "").split("\n\n")[0].replace("\n", " ")
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = required
    return {"description": first, **schema} if first else schema


def descriptions(target: Target) -> dict[str, str]:
    """Return what the docstrings of a class say of its settings, in lines such as ``width: channels of ...``."""
    texts: dict[str, str] = {}
    for each in reversed(inspect.getmro(target) if inspect.isclass(target) else [target]):
        text = inspect.cleandoc(vars(each).get("__doc__") or "" if inspect.isclass(each) else each.__doc__ or "")
        for name, words in re.findall(r"^(\w+): (.+(?:\n {4}.+)*)", text, re.MULTILINE):
            texts[name] = re.sub(r"\s+", " ", words).rstrip(".")
    return texts


def _setting(setting: Setting, said: Mapping[str, str]) -> Schema:
    about = next(iter(notes(setting.annotation)), About())
    schema: Schema = {}
    if text := said.get(setting.name) or about.text:
        schema["description"] = text
    if about.unit:
        schema["unit"] = about.unit
    schema |= _schema(setting.annotation, nullable=not setting.is_required)
    if not setting.is_required:
        schema["default"] = as_plain(setting.default)
    if about.example:
        schema["examples"] = [about.example]
    return schema


def _schema(annotation: Any, nullable: bool = False) -> Schema:
    """Return the schema of a value; `nullable` where null is as if it were not there."""
    forms = [form for form in alternatives(annotation) if form.annotation is not NoneType]
    if len(forms) < len(alternatives(annotation)):
        nullable = True
    choices: list[Schema] = []
    for form in forms:
        choices += [each for each in _form(form) if each not in choices]
    if {"type": "object"} in choices and any(each.get("properties") for each in choices):
        choices.remove({"type": "object"})
    numbers = [each for each in choices if each.get("type") == "number"]
    choices = [each for each in choices if {**each, "type": "number"} not in numbers or each in numbers]
    if not choices or {} in choices:
        return {}
    if nullable:
        choices.append({"type": "null"})
    return choices[0] if len(choices) == 1 else {"anyOf": choices}


def _form(form: Form) -> Iterator[Schema]:
    kind, rows, named = form.origin, form.limit(Rows), form.limit(Named)
    target = named if named is not None else rows.of() if rows is not None else None
    if isinstance(target, Named) and kind not in (list, tuple):
        yield from _named(target, names=kind in (str, Any), mappings=kind in (dict, Any))
    elif kind in (list, tuple):
        yield _list(form, target)
    elif target is not None and kind is dict:
        yield object_schema(target)
    elif isinstance(kind, type) and is_dataclass(kind):
        yield object_schema(kind)
    elif kind in (int, float):
        yield {"type": "integer" if kind is int else "number", **_range(form.limit(Range))}
    elif kind is Literal:
        yield {"enum": list(get_args(form.annotation))}
    elif kind is str:
        yield _text(form)
    else:
        yield {"type": types[kind]} if (types := {bool: "boolean", dict: "object", Mapping: "object"}).get(kind) else {}


def _text(form: Form) -> Schema:
    words, pattern = form.limit(Words), form.limit(Pattern)
    if words is not None:
        return {"enum": list(words.known)}
    return {"type": "string", **({"pattern": f"^{pattern.expression}$"} if pattern is not None else {})}


def _list(form: Form, target: Target | Named | None) -> Schema:
    schema: Schema = {"type": "array"}
    arguments, size = get_args(form.annotation), form.limit(Length)
    if form.origin is tuple:
        return {
            **schema,
            "prefixItems": [_schema(each) for each in arguments],
            "minItems": len(arguments),
            "items": False,
        }
    if isinstance(target, Named):
        schema["items"] = {"anyOf": list(_named(target, names=True, mappings=True))}
    elif target is not None:
        schema["items"] = object_schema(target)
    else:
        schema["items"] = _schema(arguments[0])
    if size is not None:
        schema |= {"minItems": size.low} | ({"maxItems": size.high} if size.high is not None else {})
    return schema


def _range(limits: Range | None) -> Schema:
    if limits is None:
        return {}
    low = {} if limits.low is None else {"exclusiveMinimum" if limits.open_low else "minimum": limits.low}
    high = {} if limits.high is None else {"exclusiveMaximum" if limits.open_high else "maximum": limits.high}
    return low | high


def _named(named: Named, *, names: bool, mappings: bool) -> Iterator[Schema]:
    """Yield the forms of a name, and of a mapping with a name and the settings of what it names."""
    targets = named.targets()
    own = {"type": "string", "pattern": r"^[\w.]+:\w+$", "description": f"your own: {named.others}"}
    if names:
        yield {"enum": list(targets)}
        if named.others:
            yield own
    for name, target in targets.items() if mappings else ():
        schema = object_schema(target, named.given, {named.tag: {"const": name}})
        if named.beside is not None:
            schema["properties"] |= object_schema(named.beside)["properties"]
        if name == named.default:
            schema["required"] = [each for each in schema["required"] if each != named.tag]
        if not schema.get("required"):
            schema.pop("required", None)
        yield schema
    if mappings and named.others:
        yield {"type": "object", "properties": {named.tag: own}, "required": [named.tag]}
    if mappings and named.may_lack_name:
        yield {"type": "object", "not": {"required": [named.tag]}}


@dataclass(frozen=True, kw_only=True)
class RangeFields:
    """A range of numbers, of which a search draws."""

    low: Annotated[Number, About("the least number")]
    high: Annotated[Number, About("the largest number")]
    step: Annotated[Number | None, About("the distance between two numbers")] = None
    log: Annotated[bool, About("draw on a logarithmic scale")] = False
    when: Annotated[dict[str, Any] | None, About("levels of factors above for which the range is drawn at all")] = None


@dataclass(frozen=True, kw_only=True)
class ConditionalFields:
    """Levels of a factor that a search chooses only where other factors have certain levels."""

    levels: Annotated[list[Any] | dict[str, Any], About("the levels, a list or named bundles")]
    when: Annotated[dict[str, Any] | None, About("the levels of factors above")] = None


@dataclass(frozen=True, kw_only=True)
class WiringsFactor:
    """Wirings of a unit, of which a search draws."""

    wirings: Annotated[WiringFields | None, About("which wirings")]
    when: Annotated[dict[str, Any] | None, About("levels of factors above for which they are drawn at all")] = None


def _factor() -> Schema:
    """Return the forms of one factor: a list, named bundles, and in a search ranges, conditions and wirings."""
    bundle = {"type": ["object", "null"]}
    return {
        "anyOf": [
            {"type": "array", "minItems": 1, "description": "levels of the setting that the factor is named after"},
            {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": bundle,
                "description": "named bundles of settings",
            },
            *map(object_schema, (RangeFields, ConditionalFields, WiringsFactor)),
        ]
    }
