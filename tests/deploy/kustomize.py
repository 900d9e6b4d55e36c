"""`kustomize build`, as far as our kustomizations need it. What it does not know it refuses."""

import yaml


def build(folder):
    """The resources of a kustomization, by kind and name."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    known = {"apiVersion", "kind", "namespace", "resources", "components", "images", "patches"}
    assert kustomization.keys() <= known, kustomization.keys() - known
    resources = {}
    for name in kustomization.get("resources", []) + kustomization.get("components", []):
        for resource in read(folder / name):
            key = resource["kind"], resource["metadata"]["name"]
            assert key not in resources, key
            resources[key] = resource
    for patch in kustomization.get("patches", []):
        for changes in read(folder / patch["path"]):
            merge(resources[changes["kind"], changes["metadata"]["name"]], changes)
    for resource in resources.values():
        if "namespace" in kustomization:
            resource["metadata"]["namespace"] = kustomization["namespace"]
        if resource["kind"] == "Deployment":
            for container in resource["spec"]["template"]["spec"]["containers"]:
                rename(container, kustomization.get("images", []))
    return resources


def read(path):
    if path.is_dir():
        return build(path).values()
    return list(yaml.safe_load_all(path.read_text()))


def rename(container, images):
    for image in images:
        if container["image"] == image["name"]:
            container["image"] = f"{image['newName']}:{image['newTag']}"


def merge(target, changes):
    """A strategic merge: maps by key, lists by `name`."""
    for key, change in changes.items():
        if isinstance(change, dict):
            merge(target.setdefault(key, {}), change)
        elif isinstance(change, list) and all(isinstance(each, dict) for each in change):
            entries = target.setdefault(key, [])
            by_name = {entry["name"]: entry for entry in entries}
            for each in change:
                if each["name"] in by_name:
                    merge(by_name[each["name"]], each)
                else:
                    entries.append(each)
        else:
            target[key] = change
