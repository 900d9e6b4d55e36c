"""A Compose file as `docker compose config` resolves it, as far as ours needs it."""

import re

import yaml

VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?::-((?:[^{}])*))?\})")


def resolve(folder):
    """compose.yaml of a folder, with the variables of its .env."""
    settings = folder / ".env"
    lines = settings.read_text().splitlines() if settings.exists() else []
    variables = dict(line.split("=", 1) for line in lines if line)
    return interpolate(yaml.safe_load((folder / "compose.yaml").read_text()), variables)


def interpolate(value, variables):
    if isinstance(value, dict):
        return {key: interpolate(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [interpolate(each, variables) for each in value]
    if not isinstance(value, str):
        return value

    def content(match):
        if match[0] == "$$":
            return "$"
        return variables.get(match[1]) or match[2] or ""

    assert "$" not in VARIABLE.sub("", value), f"a variable in a form that is not known here: {value}"
    return VARIABLE.sub(content, value)


def seconds(duration):
    number, unit = re.fullmatch(r"(\d+)(s|m)", duration).groups()
    return int(number) * {"s": 1, "m": 60}[unit]
