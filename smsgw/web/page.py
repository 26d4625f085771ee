"""The page at `/`: links for people, without scripts and without anything from elsewhere."""

import base64
import hashlib
from typing import Final

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }
dt { font-weight: 600; margin-top: 1rem; }
dd { margin: 0; }
a:focus-visible { outline: 3px solid; outline-offset: 2px; }
"""

INDEX: Final = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>smsgw</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>smsgw</h1>
<p>The SMS gateway is running. What it says of itself:</p>
<dl>
<dt><a href="/readyz">Readiness</a></dt>
<dd>Storage, links and the billing feed, with the reasons when something is amiss.</dd>
<dt><a href="/healthz">Liveness</a></dt>
<dd>Answers as long as the process lives.</dd>
<dt><a href="/metrics">Metrics</a></dt>
<dd>Every number, for Prometheus.</dd>
<dt><a href="/api/v1/openapi.json">API</a></dt>
<dd>The description of the HTTP API, in OpenAPI.</dd>
</dl>
</main>
</body>
</html>
"""

_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# Content Security Policy, level 3: nothing but the one style sheet above, by its digest.
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
