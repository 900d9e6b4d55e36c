"""A Compose file as `docker compose config` resolves it, as far as ours needs it."""

import re

import yaml

# A default may hold a variable itself.
VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?::-((?:[^{}]|\$\{[^{}]*\})*))?\})")


def resolve(folder):
    """compose.yaml of a folder, with the variables of its .env and of the files that services name."""
    content = yaml.safe_load((folder / "compose.yaml").read_text())
    resolved = interpolate(content, settings(folder / ".env", required=False))
    for service in resolved["services"].values():
        for file in service.pop("env_file", []):
            own = settings(folder / file["path"], file["required"])
            assert not any(set("\"'$") & set(value) for value in own.values()), f"{file}: quotes and variables are not known here"
            # `environment` wins, even where it is empty.
            service["environment"] = own | service["environment"]
    return resolved


def settings(file, required):
    if not required and not file.exists():
        return {}
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


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
        return variables.get(match[1]) or interpolate(match[2], variables) or ""

    assert "$" not in VARIABLE.sub("", value), f"a variable in a form that is not known here: {value}"
    return VARIABLE.sub(content, value)


def seconds(duration):
    number, unit = re.fullmatch(r"(\d+)(s|m)", duration).groups()
    return int(number) * {"s": 1, "m": 60}[unit]
