"""The operator's proxy (docs/nginx.conf) before the product, on machines that have nginx."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.env import VAR_DIR
from config.local import ports, processes
from tests.processes import ROOT, wait_until

# Debian keeps it where only root looks.
NGINX = shutil.which("nginx", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
# One process, so that it may write where we may.
AROUND = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  {servers}
}}"""


@contextmanager
def proxied(port: int) -> Iterator[int]:
    """Serve through nginx what listens on `port`; yield where."""
    assert NGINX is not None
    front = ports.remembered(VAR_DIR / "ports.json", "nginx")
    with tempfile.TemporaryDirectory(prefix="nginx-") as folder:
        file = Path(folder) / "nginx.conf"
        file.write_text(AROUND.format(folder=folder, servers=_servers(front, port)))
        command = [NGINX, "-c", str(file), "-e", f"{folder}/error.log"]
        with (Path(folder) / "said.log").open("wb", buffering=0) as log:
            process = processes.spawn(command, cwd=ROOT, env=processes.environment(), log=log)
        try:
            wait_until(lambda: not ports.is_free(front), seconds=20, what=f"nginx, see {folder}")
            yield front
        finally:
            processes.stop(process)


def _servers(front: int, port: int) -> str:
    """Return the operator's configuration, but for the certificate, with these two ports."""
    text = (ROOT / "docs" / "nginx.conf").read_text()
    redirect = re.compile(r"^server \{\n    listen 80;.*?^\}\n", re.DOTALL | re.MULTILINE)
    text = re.sub(r"^ *(ssl_\w+|server_name) .*;\n", "", redirect.sub("", text), flags=re.MULTILINE)
    text = text.replace("listen 443 ssl;", f"listen {ports.HOST}:{front};")
    return text.replace("127.0.0.1:8000", f"{ports.HOST}:{port}")
