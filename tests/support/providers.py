"""Starting the independent identity provider beside a server of the program."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from tests.support.certificates import make_certificate
from tests.support.server import ROOT

CLIENT_ID, SECRET = "registeret", "hemmelig-mellom-de-to"
ACR = "substantial"


@dataclass(frozen=True)
class IndependentProvider:
    """A running provider."""

    issuer: str
    certificate: str  # a file, which its clients must trust

    def settings(self) -> dict[str, str]:
        """The program's settings for it."""
        return {
            "REQUESTS_CA_BUNDLE": self.certificate,
            "OIDC_PROVIDERS": "ansattporten",
            "OIDC_ANSATTPORTEN_ISSUER": self.issuer,
            "OIDC_ANSATTPORTEN_CLIENT_ID": CLIENT_ID,
            "OIDC_ANSATTPORTEN_CLIENT_SECRET": SECRET,
            "OIDC_ANSATTPORTEN_ACR": ACR,
        }

    def know(self, base_url: str) -> None:
        """Register the program's addresses with it, as with a real provider."""
        addresses = {
            "redirect_uri": f"{base_url}/logg-inn/med/ansattporten/tilbake",
            "logged_out_uri": f"{base_url}/logget-ut",
            "frontchannel_uri": f"{base_url}/logg-ut/med/ansattporten",
        }
        requests.post(f"{self.issuer}/client", data=addresses, timeout=10, verify=self.certificate).raise_for_status()


@contextmanager
def independent_provider() -> Iterator[IndependentProvider]:
    """Start one in a process of its own; stopped by its id."""
    with TemporaryDirectory() as folder:
        certificate, key = make_certificate(Path(folder))
        yield from _running(str(certificate), str(key))


def _running(certificate: str, key: str) -> Iterator[IndependentProvider]:
    command = [sys.executable, "-m", "tests.support.independent_provider", certificate, key]
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        said = process.stdout.readline().strip() if process.stdout else ""
        assert said.startswith("https://127.0.0.1:"), "the provider did not start"
        yield IndependentProvider(said, certificate)
    finally:
        process.terminate()
        process.wait(timeout=15)
        if process.stdout:
            process.stdout.close()
