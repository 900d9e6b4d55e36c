"""What deploy/compose.yaml says of its containers, for processes that stand for them."""

import os
from pathlib import Path

TOOLS = Path(os.environ["SMS_TEST_POSTGRES_TOOLS"])
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

# A container: its secrets, its folders, a read-only root of its own, and no capabilities.
CONTAINER = """
mount --bind "$ROOTFS" "$ROOTFS" && mount -t tmpfs -o mode=755 none "$ROOTFS/run" && mkdir "$ROOTFS/run/secrets" || exit
for secret in $SECRETS; do
    : >"$ROOTFS/run/secrets/${secret%%=*}"
    mount --bind "${secret#*=}" "$ROOTFS/run/secrets/${secret%%=*}" || exit
done
for each in $FOLDERS; do
    folder=$ROOTFS${each%%=*}
    mkdir -p "$folder" && mount --bind "${each#*=}" "$folder" && mount -o remount,bind,ro "$folder" || exit
done
mount -o remount,bind,ro "$ROOTFS" && cd "$ROOTFS" || exit
user=$CONTAINER_USER
unset ROOTFS SECRETS FOLDERS CONTAINER_USER
exec setpriv --no-new-privs --bounding-set=-all,+setuid,+setgid,+sys_chroot chroot --userspec="$user" . "$@"
"""

# One that runs once, with programs from here: all file systems are read-only, but for the folder that it writes.
ONCE = """
mount -t tmpfs -o mode=755 none /run && mkdir /run/secrets || exit
for each in $SECRETS $FOLDERS; do
    if [ -d "${each#*=}" ]; then mkdir "${each%%=*}"; else : >"${each%%=*}"; fi
    mount --bind "${each#*=}" "${each%%=*}" || exit
done
mount -o remount,bind,ro / && mount -o remount,ro /run || exit
uid=${CONTAINER_USER%:*} gid=${CONTAINER_USER#*:}
unset SECRETS FOLDERS CONTAINER_USER
exec setpriv --no-new-privs --bounding-set=-all --reuid="$uid" --regid="$gid" --clear-groups "$@"
"""


def secrets_of(compose, tree, name):
    return {secret: tree / compose["secrets"][secret]["file"] for secret in compose["services"][name]["secrets"]}


def mounts_of(compose, tree, name):
    """What is mounted at which path in the container."""
    volumes = [volume.split(":") for volume in compose["services"][name].get("volumes", [])]
    return {target: (tree / source).resolve() for source, target, *_ in volumes}


def container(compose, tree, rootfs, name, command=None):
    """The command line and environment of a service's container, whose folders are for reading."""
    service = compose["services"][name]
    assert all(volume.endswith(":ro") for volume in service.get("volumes", []))
    folders = " ".join(f"{target}={source}" for target, source in mounts_of(compose, tree, name).items())
    secrets = " ".join(f"{secret}={file.resolve()}" for secret, file in secrets_of(compose, tree, name).items())
    # The image's entrypoint, and its command where the file has none.
    command = command or ["/usr/local/bin/gatewayapi-sms-connector", *service.get("command", ["serve"])]
    environment = {"PATH": os.environ["PATH"], "ROOTFS": str(rootfs), "SECRETS": secrets, "FOLDERS": folders,
                   "CONTAINER_USER": service["user"]}
    return ["unshare", "--mount", "sh", "-c", CONTAINER, "sh", *command], environment | service.get("environment", {})


def once(compose, tree, name, **more):
    """The command line and environment of a container that runs once, of an image that is not to be had here."""
    service = compose["services"][name]
    secrets = [f"/run/secrets/{secret}={file.resolve()}" for secret, file in secrets_of(compose, tree, name).items()]
    mounts = mounts_of(compose, tree, name)
    folders = [f"{target}={source}" for target, source in mounts.items() if source.is_dir()]
    # Files are where they are here; users are known by their numbers.
    command = [str(mounts.get(word, word)) for word in [*service["entrypoint"], *service.get("command", [])]]
    environment = {"PATH": f"{TOOLS}:{os.environ['PATH']}", "SECRETS": " ".join(secrets), "FOLDERS": " ".join(folders),
                   "CONTAINER_USER": service["user"].replace("postgres", "65534:65534")}
    return ["unshare", "--mount", "sh", "-c", ONCE, "sh", *command], environment | service.get("environment", {}) | more


def environment_of(compose, tree, name):
    """With the files of secrets where they are here."""
    files = {f"/run/secrets/{secret}": str(file) for secret, file in secrets_of(compose, tree, name).items()}
    return {variable: files.get(value, value) for variable, value in compose["services"][name]["environment"].items()}
