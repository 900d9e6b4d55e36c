"""Images are named by a full version or by their content: the same file gives the same container tomorrow."""

import re

import pytest
import yaml

from conftest import DEPLOY, ROOT
from kustomize import build

DOCKERFILES = [ROOT / "Dockerfile", *sorted(ROOT.glob("examples/*/Dockerfile"))]
# PostgreSQL's versions have two numbers, the others' three.
NUMBERS = {"postgres": 2}


def is_pinned(image):
    name, _, digest = image.partition("@")
    name, _, tag = name.rpartition("/")[2].partition(":")
    version = rf"v?\d+(\.\d+){{{NUMBERS.get(name, 3) - 1}}}(-[a-z]+)*"
    return bool(re.fullmatch("sha256:[0-9a-f]{64}", digest) if digest else re.fullmatch(version, tag))


def images_of(dockerfile):
    """What it starts from or copies from, but its own stages."""
    text = dockerfile.read_text()
    stages = re.findall(r"^FROM .+ AS (\S+)$", text, re.MULTILINE)
    named = re.findall(r"^FROM (?:--\S+ )*(\S+)", text, re.MULTILINE) + re.findall(r"--from=(\S+)", text)
    return [image for image in named if image not in stages]


def images_of_compose():
    """But those that it builds."""
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"].values()
    built = {service["image"] for service in services if "build" in service and service["image"].endswith(":local")}
    return [service["image"] for service in services if service["image"] not in built]


def images_of_kubernetes():
    deployment = build(DEPLOY / "kubernetes/overlays/example")["Deployment", "gatewayapi-sms-connector"]
    return [container["image"] for container in deployment["spec"]["template"]["spec"]["containers"]]


@pytest.mark.parametrize("image", ["python", "python:latest", "python:3.12-slim", "rust:1.95-bookworm", "postgres:17-alpine",
                                   "localhost:5000/python", "gcr.io/distroless/cc-debian12:nonroot", "python:3.12.15@sha256:0"])
def test_an_image_that_may_change_is_seen(image):
    assert not is_pinned(image)


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_dockerfile_starts_from_pinned_images(dockerfile):
    images = images_of(dockerfile)
    assert images and [image for image in images if not is_pinned(image)] == []


@pytest.mark.parametrize("images", [images_of_compose, images_of_kubernetes])
def test_what_is_started_is_pinned(images):
    assert images() and [image for image in images() if not is_pinned(image)] == []


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_its_user_can_read_what_was_cloned_with_any_umask(dockerfile):
    """COPY keeps the modes of the clone, and the owner is root."""
    last_stage = re.split(r"^FROM ", dockerfile.read_text(), flags=re.MULTILINE)[-1]
    copied = re.search(r"^COPY (?!--from)", last_stage, re.MULTILINE)
    assert not copied or re.search(r"^RUN chmod -R a\+rX \S+\n.*^USER ", last_stage, re.MULTILINE | re.DOTALL)
