"""Real image builds and containers, by buildah and podman with separate storage.

The base is Debian's, made by mmdebstrap, so no image registry is needed. Limits are those of this
machine. If the Python index needs a custom certificate (PIP_CERT), builds get it mounted.
"""

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.checkout import ROOT

PROGRAMS = ("buildah", "mmdebstrap", "podman", "runc")
BASE = "docker.io/library/debian:trixie-slim"
BUILD_SECONDS = 900
NO_DOCUMENTS = (  # as in the slim image
    *("path-exclude=/usr/share/man/*", "path-exclude=/usr/share/locale/*"),
    *("path-exclude=/usr/share/doc/*", "path-include=/usr/share/doc/*/copyright"),
)
NO_PACKAGES = 'echo \'APT::Keep-Downloaded-Packages "false";\' > "$1/etc/apt/apt.conf.d/clean"'
CERTIFICATE = "/run/build/index.crt"


def missing_programs() -> list[str]:
    """Return the missing programs."""
    return [name for name in PROGRAMS if not shutil.which(name)]


@dataclass(frozen=True, slots=True)
class Images:
    """A private storage of images and containers."""

    place: Path

    def run(self, *command: str | Path, seconds: float = 60) -> str:
        """Return the output of a program, which must succeed."""
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
            env=self._environment,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout.strip()

    def podman(self, *arguments: str | Path, seconds: float = 60) -> str:
        """Return the output of podman."""
        return self.run("podman", *arguments, seconds=seconds)

    @property
    def _environment(self) -> Mapping[str, str]:
        return {
            **os.environ,
            "CONTAINERS_CONF": str(self.place / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.place / "storage.conf"),
            "PODMAN_IGNORE_CGROUPSV1_WARNING": "1",
        }

    def configure(self) -> None:
        """Write the configuration of buildah and podman."""
        ulimits = [f"{name}={soft}:{hard}" for name, (soft, hard) in _limits().items()]
        (self.place / "containers.conf").write_text(
            f"[containers]\ndefault_ulimits = {ulimits}\nlog_driver = 'k8s-file'\n"
            "[engine]\nruntime = 'runc'\ncgroup_manager = 'cgroupfs'\nevents_logger = 'file'\n"
        )
        (self.place / "storage.conf").write_text(
            f"[storage]\ndriver = 'overlay'\ngraphroot = '{self.place / 'storage'}'\n"
            f"runroot = '{self.place / 'run'}'\n"
        )

    def make_base(self) -> None:
        """Make Debian's slim image from its packages."""
        file = self.place / "base.tar"
        options = [f"--dpkgopt={each}" for each in NO_DOCUMENTS]
        self.run(
            *("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", *options),
            *(f"--customize-hook={NO_PACKAGES}", "trixie", file),
            seconds=BUILD_SECONDS,
        )
        self.podman("import", "--quiet", "--change", 'CMD ["bash"]', file, BASE, seconds=120)
        file.unlink()

    def build(self, containerfile: Path, name: str) -> None:
        """Build an image from the checkout with the options in its first lines."""
        limits = [f"--ulimit={kind}={soft}:{hard}" for kind, (soft, hard) in _limits().items()]
        certificate = os.environ.get("PIP_CERT")
        mounted = (
            (f"--volume={certificate}:{CERTIFICATE}:ro", f"--build-arg=SSL_CERT_FILE={CERTIFICATE}")
            if certificate
            else ()
        )
        self.run(
            *("buildah", "build", "--isolation", "chroot", "--network", "host", "--pull=never"),
            *(
                *limits,
                *mounted,
                "--format",
                "docker",
                "--file",
                containerfile,
                "--tag",
                name,
                ROOT,
            ),
            seconds=BUILD_SECONDS,
        )

    @contextmanager
    def container(self, name: str, image: str, *arguments: str) -> Iterator[None]:
        """Run a container for the duration of a block. `arguments` are options of podman, then after
        `--` the command."""
        cut = arguments.index("--") if "--" in arguments else len(arguments)
        options, command = arguments[:cut], arguments[cut + 1 :]
        self.podman("run", "--detach", "--name", name, *options, image, *command)
        try:
            yield
        finally:
            self.podman("rm", "--force", "--time", "2", "--volumes", name)

    @contextmanager
    def files(self, image: str) -> Iterator[Path]:
        """Mount the root of an image as a directory."""
        root = self.podman("image", "mount", image)
        try:
            yield Path(root)
        finally:
            self.podman("image", "umount", image)


def options_of(service: Mapping[str, Any]) -> list[str]:
    """Return podman's options for the rights of a Compose service."""
    most = _limits()["nofile"][1]
    return [
        *(["--read-only"] if service.get("read_only") else []),
        *(f"--tmpfs={path}" for path in service.get("tmpfs", ())),
        *(f"--cap-drop={each}" for each in service.get("cap_drop", ())),
        *(f"--security-opt={each}" for each in service.get("security_opt", ())),
        *(f"--pids-limit={each}" for each in [service.get("pids_limit")] if each),
        *(f"--memory={each}" for each in [service.get("mem_limit")] if each),
        *(
            f"--ulimit={kind}={min(most, count)}"
            for kind, count in service.get("ulimits", {}).items()
        ),
    ]


def _limits() -> dict[str, tuple[int, int]]:
    """Return the maximum limits of a container on this machine."""
    kinds = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
    return {name: resource.getrlimit(kind) for name, kind in kinds.items()}


@contextmanager
def own_images() -> Iterator[Images]:
    """Create a storage with Debian in it, on a disk, as overlays need it."""
    place = Path(tempfile.mkdtemp(prefix="tracker-images-", dir="/var/tmp"))
    images = Images(place)
    images.configure()
    try:
        images.make_base()
        yield images
    finally:
        images.podman("system", "reset", "--force", seconds=120)
        shutil.rmtree(place, ignore_errors=True)
