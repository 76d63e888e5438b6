"""The container's health check for web: ends with 0 when /healthz answers 200 on port 8000.

Run as a file, so that it loads nothing of the product and costs nothing.
"""

import os
import sys
import urllib.error
import urllib.parse
import urllib.request

URL = "http://127.0.0.1:8000/healthz"


def main() -> int:
    """Ask under the name that visitors use, because the product refuses other names."""
    host = urllib.parse.urlsplit(os.environ.get("SITE_URL", "")).netloc or "localhost"
    request = urllib.request.Request(URL, headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=4) as response:
            return 0 if response.status == 200 else 1
    except (urllib.error.URLError, OSError) as error:
        print(error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
